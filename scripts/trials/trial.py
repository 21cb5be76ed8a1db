#!/usr/bin/env python3
"""Trials of the built program as its users run it: real processes, real load, something killed in the middle.

usage: trial.py [failover-get | failover-post | transfer | slow-reader | streams | drain | even]…   (all without arguments)

Each trial prints what it measured and PASS or FAIL; the exit status is 1 if any failed. Needs only Python's library, wrk for
`even`, and the release build of curl-lb and origin (swift build -c release). All traffic stays on 127.0.0.1.
"""
import asyncio
import collections
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("CURL_LB_BIN", os.path.join(ROOT, ".build", "release"))
TRIALS = os.path.dirname(os.path.abspath(__file__))
FOLDER = tempfile.mkdtemp(prefix="curl-lb-trial-")
PORTS = (5101, 5102, 5103)
LISTEN = 5100
processes = []


def start(arguments, **options):
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, **options)
    processes.append(process)
    return process


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nobody listens on port {port}")


def balancer(**environment):
    log = open(os.path.join(FOLDER, "access.log"), "w")
    variables = {
        "LB_LISTEN": f"127.0.0.1:{LISTEN}",
        "LB_BACKENDS": " ".join(f"http://127.0.0.1:{port};name=b{port}" for port in PORTS),
        **environment,
    }
    process = start(
        [os.path.join(BIN, "curl-lb")],
        env={**os.environ, **variables},
        stdout=log,
        stderr=open(os.path.join(FOLDER, "diagnostics.log"), "w"),
    )
    wait_for(LISTEN)
    return process


def origins():
    for index, port in enumerate(PORTS):
        start(
            [os.path.join(BIN, "origin"), "--port", str(port), "--name", f"b{index + 1}", "--timeout", "600"],
            stdout=subprocess.DEVNULL,
        )
    for port in PORTS:
        wait_for(port)


def recording_origin(port, delay=0):
    return start(
        [sys.executable, os.path.join(TRIALS, "recording_origin.py"), str(port), f"{FOLDER}/{port}.record", str(delay)],
        stderr=subprocess.DEVNULL,
    )


def stop_all():
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
    processes.clear()


def memory(process, key="VmHWM"):
    """Resident memory in MiB: VmRSS now, VmHWM at its highest."""
    with open(f"/proc/{process.pid}/status") as status:
        return int(re.search(rf"{key}:\s+(\d+)", status.read()).group(1)) / 1024


async def exchange(reader, writer, request):
    """Sends a request and reads its response whole; returns status, fields and body."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status = int(head.split(" ", 2)[1])
    fields = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
    }
    body = await reader.readexactly(int(fields.get("content-length", 0)))
    return status, fields, body


async def load(make_request, seconds, connections=32):
    """Closed-loop load; returns a counter of outcomes and the ids of what failed."""
    outcomes, failed = collections.Counter(), []
    end = time.monotonic() + seconds

    async def client(number):
        count, reader, writer = 0, None, None
        while time.monotonic() < end:
            identifier = f"{number}.{count}"
            count += 1
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
                status, fields, body = await exchange(reader, writer, make_request(identifier))
                outcomes[status] += 1
                if status != 200:
                    failed.append((identifier, status, body.decode()))
                if fields.get("connection") == "close":
                    writer.close()
                    writer = None
            except (OSError, asyncio.IncompleteReadError) as error:
                outcomes[type(error).__name__] += 1
                failed.append((identifier, 0, repr(error)))
                if writer:
                    writer.close()
                writer = None
        if writer:
            writer.close()

    await asyncio.gather(*(client(number) for number in range(connections)))
    return outcomes, failed


async def kill_and_restart(children, rounds=5, delay=0):
    """Kills one origin after the other with SIGKILL and starts it again."""
    for round_number in range(rounds):
        port = PORTS[round_number % len(PORTS)]
        await asyncio.sleep(1)
        children[port].kill()
        children[port].wait()
        await asyncio.sleep(1)
        children[port] = recording_origin(port, delay)
        await asyncio.to_thread(wait_for, port)


async def failover(make_request, delay):
    children = {port: recording_origin(port, delay) for port in PORTS}
    for port in PORTS:
        wait_for(port)
    balancer(LB_ACCESS_LOG="off")
    killer = asyncio.create_task(kill_and_restart(children, delay=delay))
    outcomes, failed = await load(make_request, 14)
    await killer
    return outcomes, failed


def trial_failover_get():
    """An origin is killed and started again five times under GET load: no client sees an error."""
    outcomes, failed = asyncio.run(
        failover(lambda identifier: f"GET /{identifier} HTTP/1.1\r\nHost: t\r\n\r\n".encode(), 2)
    )
    print(f"  outcomes {dict(outcomes)}")
    return not failed and outcomes[200] > 1000


def trial_failover_post():
    """The same under POST load: none arrives twice, each failed one has a 502 with a reason."""
    outcomes, failed = asyncio.run(
        failover(
            lambda identifier: (
                f"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: {len(identifier)}\r\n\r\n{identifier}".encode()
            ),
            2,
        )
    )
    arrived = collections.Counter()
    for port in PORTS:
        with open(f"{FOLDER}/{port}.record") as record:
            arrived.update(line.split()[1] for line in record if line.startswith("POST"))
    twice = [identifier for identifier, count in arrived.items() if count > 1]
    reasons = collections.Counter(re.search(r"Reason: (\S+)", body).group(1) for _, status, body in failed if status == 502)
    print(f"  outcomes {dict(outcomes)}; arrived {len(arrived)}, twice {len(twice)}; reasons {dict(reasons)}")
    unexplained = len(failed) - sum(reasons.values())
    return not twice and unexplained == 0 and outcomes[200] > 1000


def pattern_hash(size):
    """The SHA-256 of what origins answer to /bytes/SIZE."""
    block = bytes(index % 251 for index in range(251 * 4096))
    digest, left = hashlib.sha256(), size
    while left > 0:
        digest.update(block[: min(left, len(block))])
        left -= len(block)
    return digest.hexdigest()


def trial_transfer(size=2 << 30):
    """2 GiB down and 2 GiB up: hashes equal, resident memory below 64 MiB."""
    origins()
    process = balancer()
    expected = pattern_hash(size)
    for form in ("", "?chunked=1"):
        digest = hashlib.sha256()
        began = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{LISTEN}/bytes/{size}{form}") as response:
            while block := response.read(1 << 20):
                digest.update(block)
        print(f"  down{form or ' length'}: {digest.hexdigest() == expected}, {time.monotonic() - began:.1f} s")
        if digest.hexdigest() != expected:
            return False
    block = bytes(index % 251 for index in range(251 * 4096))
    for chunked in (False, True):
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", LISTEN)) as client:
            framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
            client.sendall(f"POST /upload HTTP/1.1\r\nHost: t\r\n{framing}\r\n\r\n".encode())
            left = size
            while left > 0:
                piece = block[: min(left, len(block))]
                client.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                left -= len(piece)
            if chunked:
                client.sendall(b"0\r\n\r\n")
            answer = b""
            while b"}" not in answer:
                answer += client.recv(65536)
        received = json.loads(answer[answer.index(b"{") :])
        same = received["sha256"] == expected and received["length"] == size
        print(f"  up {'chunked' if chunked else 'length'}: {same}, {time.monotonic() - began:.1f} s")
        if not same:
            return False
    peak = memory(process)
    print(f"  peak resident memory {peak:.1f} MiB")
    return peak < 64


def trial_slow_reader(size=2 << 30, rate=1 << 20, seconds=30):
    """A client that reads 1 MB/s of a 2 GiB response: memory stays below 64 MiB, and the origin is held back."""
    origins()
    process = balancer()
    with socket.create_connection(("127.0.0.1", LISTEN)) as client:
        client.sendall(f"GET /bytes/{size} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        got, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            got += len(client.recv(65536))
            time.sleep(max(0.0, got / rate - (time.monotonic() - began)))
    peak = memory(process)
    print(f"  {got / (1 << 20):.0f} MiB read in {seconds} s, peak resident memory {peak:.1f} MiB")
    return peak < 64


async def streams(count, events, interval):
    late, received = [], 0
    gate = asyncio.Semaphore(100)

    async def listen():
        nonlocal received
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
            writer.write(f"GET /stream?ms={interval}&count={events} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
        for _ in range(events):
            line = b""
            while not line.startswith(b"data:"):
                line = await reader.readline()
            sent = json.loads(line[5:])["sent"]
            late.append(time.time() * 1000 - sent)
            received += 1
        writer.close()

    listeners = [asyncio.create_task(listen()) for _ in range(count)]
    await asyncio.sleep(2)
    waits = []
    reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
    for _ in range(200):
        began = time.monotonic()
        status, _, _ = await exchange(reader, writer, b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        assert status == 200
        waits.append((time.monotonic() - began) * 1000)
        await asyncio.sleep(0.01)
    await asyncio.gather(*listeners)
    return sorted(late), received, sorted(waits)


def trial_streams(count=2000, events=5, interval=2000):
    """2,000 event streams at once: each event arrives when sent; ordinary requests beside them are answered at once."""
    origins()
    process = balancer(LB_ACCESS_LOG="off")
    late, received, waits = asyncio.run(streams(count, events, interval))
    print(
        f"  {received} events of {count * events}; late by median {late[len(late) // 2]:.1f} ms, "
        f"p99 {late[len(late) * 99 // 100]:.1f} ms; requests beside: median {waits[len(waits) // 2]:.1f} ms, "
        f"p99 {waits[len(waits) * 99 // 100]:.1f} ms; resident {memory(process):.1f} MiB"
    )
    return received == count * events and late[len(late) // 2] < interval / 2


def trial_drain():
    """SIGTERM under load: no request that was accepted is cut; the process ends with 0."""
    for port in PORTS:
        recording_origin(port, 20)
    for port in PORTS:
        wait_for(port)
    cut, answered, refused = 0, 0, 0

    async def run():
        nonlocal cut, answered, refused
        process = balancer(LB_ACCESS_LOG="off")
        stopped = False

        async def client():
            nonlocal cut, answered, refused
            writer = None
            while True:
                try:
                    if writer is None:
                        reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
                except OSError:
                    refused += 1
                    return
                try:
                    status, fields, _ = await exchange(reader, writer, b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
                    answered += status == 200
                    cut += status != 200
                    if fields.get("connection") == "close":
                        writer.close()
                        writer = None
                except (OSError, asyncio.IncompleteReadError):
                    cut += 1
                    writer = None

        clients = [asyncio.create_task(client()) for _ in range(64)]
        await asyncio.sleep(2)
        process.send_signal(signal.SIGTERM)
        await asyncio.gather(*clients)
        return await asyncio.to_thread(process.wait, 40)

    code = asyncio.run(run())
    print(f"  answered {answered}, cut {cut}, exit status {code}")
    return cut == 0 and code == 0 and answered > 100


def trial_even():
    """wrk for 30 s through three origins: no error, and the origins' counts differ by at most one."""
    origins()
    balancer(LB_ACCESS_LOG="off")
    seconds = os.environ.get("TRIAL_SECONDS", "30")
    output = subprocess.run(
        ["wrk", "-t1", "-c64", f"-d{seconds}s", f"http://127.0.0.1:{LISTEN}/"], capture_output=True, text=True, check=True
    ).stdout
    time.sleep(0.5)
    counts = []
    for port in PORTS:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/requests") as response:
            counts.append(json.load(response)["total"])
    errors = re.findall(r"Socket errors.*|Non-2xx.*", output)
    requests = re.search(r"(\d+) requests in", output).group(1)
    print(f"  {requests} requests, errors {errors or 'none'}, origins' counts {counts}")
    return not errors and max(counts) - min(counts) <= 1


TRIALS_BY_NAME = {
    name.removeprefix("trial_").replace("_", "-"): function
    for name, function in list(globals().items())
    if name.startswith("trial_")
}


def main():
    failures = 0
    for name in sys.argv[1:] or TRIALS_BY_NAME:
        if name not in TRIALS_BY_NAME:
            sys.exit(f"no trial is called {name}; there are: {', '.join(TRIALS_BY_NAME)}")
        function = TRIALS_BY_NAME[name]
        print(f"{name}: {function.__doc__}", flush=True)
        try:
            passed = function()
        finally:
            stop_all()
        failures += not passed
        print(f"  {'PASS' if passed else 'FAIL'}", flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
