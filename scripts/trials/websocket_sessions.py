"""WebSocket through the balancer, with the library "websockets" of PyPI at both ends."""
import asyncio
import collections
import glob
import hashlib
import os
import re
import subprocess
import sys
import time

from harness import (
    LISTEN, PORTS, ROOT, TRIALS, Missing, balancer, descriptors_return, log_lines, memory,
    raise_descriptor_limit, settled_descriptors, start, wait_for,
)

VERSION = "17.4"
ENVIRONMENT = os.path.join(ROOT, ".build-trials", "venv")
PYTHON = os.path.join(ENVIRONMENT, "bin", "python")
BACKENDS = PORTS[:2]
LARGE = 100 << 20


def library():
    """Puts the library into a virtual environment of the trials' own, and that into this process's path."""
    check = [PYTHON, "-c", f"import websockets; exit(websockets.__version__ != '{VERSION}')"]
    if not os.path.exists(PYTHON) or subprocess.run(check, stderr=subprocess.DEVNULL).returncode:
        install = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"websockets=={VERSION}"]
        try:
            subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
            subprocess.run(install, check=True)
        except subprocess.CalledProcessError as error:
            raise Missing("websockets cannot be installed; it needs python3-venv and PyPI") from error
    sys.path.insert(0, glob.glob(os.path.join(ENVIRONMENT, "lib", "python*", "site-packages"))[0])


def echo_server(port):
    return start([PYTHON, os.path.join(TRIALS, "websocket_echo.py"), str(port)], stderr=subprocess.DEVNULL)


async def open_session(path="/", **options):
    """Connects; returns the connection and the port of the backend that it reached."""
    from websockets.asyncio.client import connect

    options = {"compression": None, "max_size": None, "ping_interval": None, "open_timeout": 30, **options}
    connection = await connect(f"ws://127.0.0.1:{LISTEN}{path}", **options)
    return connection, int(await connection.recv())


def digest(message):
    return hashlib.sha256(message.encode() if isinstance(message, str) else message).hexdigest()


async def is_echoed(connection, pieces):
    """Sends a message, in fragments if there are several pieces, and reads it back meanwhile: type and hash are the same."""
    async def send():
        await connection.send(pieces[0] if len(pieces) == 1 else pieces)

    async def receive():
        return [piece async for piece in connection.recv_streaming()]

    _, received = await asyncio.gather(send(), receive())
    whole, echo = type(pieces[0])().join(pieces), type(received[0])().join(received)
    return type(whole) is type(echo) and digest(whole) == digest(echo)


async def forms():
    """Each form of message that the protocol has, with and without compression, and one of 100 MiB whole and in fragments."""
    text, noise = "Grüße, 世界 \U0001f30d " * 100, os.urandom(100_000)
    results = {}
    for compression in (None, "deflate"):
        connection, _ = await open_session("/ping", compression=compression)
        name = compression or "plain"
        results[f"{name} server's ping"] = await connection.recv() == "answered"
        results[f"{name} client's ping"] = await (await connection.ping(b"?")) >= 0
        results[f"{name} text"] = await is_echoed(connection, [text])
        results[f"{name} binary"] = await is_echoed(connection, [noise])
        results[f"{name} empty"] = await is_echoed(connection, [b""])
        results[f"{name} fragmented text"] = await is_echoed(connection, [text, "", text, "end"])
        results[f"{name} fragmented binary"] = await is_echoed(connection, [noise[i : i + 999] for i in range(0, 99_900, 999)])
        await connection.close()
        results[f"{name} close"] = connection.close_code == 1000
    noise = os.urandom(LARGE)
    for name, pieces in (("whole", [noise]), ("fragments", [noise[i : i + 65536] for i in range(0, LARGE, 65536)])):
        connection, _ = await open_session(f"/{name}")
        began = time.monotonic()
        results[f"100 MiB {name}"] = await is_echoed(connection, pieces)
        print(f"  100 MiB {name}, there and back: {time.monotonic() - began:.1f} s")
        await connection.close()
    failed = [name for name, passed in results.items() if not passed]
    print(f"  {len(results)} forms, failed: {failed or 'none'}")
    return not failed


def counts_are_logged():
    """The log line of the message of 100 MiB counts every byte of its frames.

    From the client: its frame and its close frame, masked. To it: the port, the echo with an empty last fragment, a close frame.
    """
    line = next((line for line in log_lines() if '"GET /whole"' in line), "")
    found = re.search(r'" (\d+) in=(\d+) out=(\d+) ', line)
    expected = (101, LARGE + 14 + 8, 2 + 4 + LARGE + 10 + 2 + 4)
    print(f"  log line: {line}")
    return found is not None and tuple(map(int, found.groups())) == expected


async def sessions_and_loss(process, servers, count):
    """Many sessions at once that exchange messages; then a backend is killed: its sessions end, and no other."""
    resident, gate = memory(process, "VmRSS"), asyncio.Semaphore(100)

    async def converse(number):
        async with gate:
            connection, port = await open_session(f"/{number}")
        passed = True
        for turn in range(5):
            passed = await is_echoed(connection, [os.urandom(1 + 1000 * turn)]) and passed
            passed = await is_echoed(connection, [f"{number}.{turn}"]) and passed
            await asyncio.sleep(0.2)
        return connection, port, passed

    began = time.monotonic()
    sessions = await asyncio.gather(*(converse(number) for number in range(count)))
    good = sum(passed for _, _, passed in sessions)
    shares = collections.Counter(port for _, port, _ in sessions)
    grown = (memory(process, "VmRSS") - resident) * 1024 / count
    print(
        f"  {count} sessions, {good} with all 10 messages echoed, in {time.monotonic() - began:.1f} s; by backend {dict(shares)}; "
        f"{grown:.1f} KiB of memory a session, {memory(process, 'VmRSS'):.1f} MiB in all"
    )
    lost = [connection for connection, port, _ in sessions if port == BACKENDS[0]]
    kept = [connection for connection, port, _ in sessions if port == BACKENDS[1]]
    ended = []

    async def note_end(connection):
        await connection.wait_closed()
        ended.append(time.monotonic())

    watchers = [asyncio.create_task(note_end(connection)) for connection in lost]
    await asyncio.sleep(0)
    killed = time.monotonic()
    servers[0].kill()
    await asyncio.wait(watchers, timeout=10)
    slowest = max(ended, default=killed) - killed
    codes = collections.Counter(connection.close_code for connection in lost)
    echoed = await asyncio.gather(*(is_echoed(connection, [b"still there"]) for connection in kept))
    print(
        f"  a backend killed: {len(ended)} of {len(lost)} sessions ended, the last after {slowest * 1000:.0f} ms, "
        f"close codes {dict(codes)}; {sum(echoed)} of the other {len(kept)} go on"
    )
    await asyncio.gather(*(connection.close() for connection in kept))
    return good == count and len(ended) == len(lost) > 0 and slowest < 1 and sum(echoed) == len(kept) > 0


async def run(process, servers, count):
    baseline = await settled_descriptors(process)
    passed = await forms()
    peak = memory(process)
    print(f"  {peak:.1f} MiB at most so far")
    passed = await sessions_and_loss(process, servers, count) and passed and peak < 64
    left = await descriptors_return(process, baseline, 15)
    print(f"  descriptors {baseline} before, {left} after")
    tunnels = [line for line in log_lines() if '" 101 ' in line]
    counted = sum(bool(re.search(r" in=[1-9]\d* out=[1-9]\d* ", line)) for line in tunnels)
    reasons = collections.Counter(re.findall(r" reason=(\S+)", "\n".join(tunnels)))
    print(f"  {len(tunnels)} tunnels in the log, {counted} with byte counts; reasons {dict(reasons)}")
    return counts_are_logged() and passed and left <= baseline and len(tunnels) == counted == count + 4


def trial_websockets(count=1000):
    """WebSocket: every form of message, 100 MiB in one, 1,000 sessions; a backend killed ends its sessions and no other."""
    library()
    raise_descriptor_limit(4 * count)
    servers = [echo_server(port) for port in BACKENDS]
    for port in BACKENDS:
        wait_for(port)
    process = balancer(LB_BACKENDS=" ".join(f"http://127.0.0.1:{port};name=b{port}" for port in BACKENDS))
    return asyncio.run(run(process, servers, count))
