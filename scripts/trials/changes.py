"""Changes of the running balancer under load: other settings, and other processes."""
import asyncio
import collections
import os
import signal
import subprocess
import sys
import time

from harness import BIN, FOLDER, LISTEN, PORTS, TRIALS, diagnostics, exchange, raise_descriptor_limit, start, wait_for
from websocket_sessions import library, open_session

REQUEST = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n"
ENVIRONMENT = os.path.join(FOLDER, "settings.env")


class Load:
    """Connections that send one request after the other; whatever is no 200 is a failure."""

    def __init__(self, connections=64):
        self.connections, self.failures, self.answers, self.slowest = connections, collections.Counter(), 0, 0.0
        self.isOver = False

    async def run(self):
        await asyncio.gather(*(self.client() for _ in range(self.connections)))

    async def client(self):
        while not self.isOver:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
                fields = {}
                while not self.isOver and fields.get("connection") != "close":
                    began = time.monotonic()
                    status, fields, _ = await asyncio.wait_for(exchange(reader, writer, REQUEST), 10)
                    self.slowest = max(self.slowest, time.monotonic() - began)
                    if status == 200:
                        self.answers += 1
                    else:
                        self.failures[status] += 1
                writer.close()
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.failures[type(error).__name__] += 1


class Streams:
    """Event streams and WebSockets that stay open, and whether they still bring anything."""

    def __init__(self):
        self.readers, self.sessions, self.events, self.ended = [], [], collections.Counter(), set()

    async def open(self, count):
        for number in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
            writer.write(b"GET /stream?ms=200&count=100000 HTTP/1.1\r\nHost: t\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            self.readers.append((reader, writer, asyncio.create_task(self.listen(len(self.readers), reader))))
            self.sessions.append(await open_session("/"))

    async def listen(self, number, reader):
        while line := await reader.readline():
            self.events[number] += line.startswith(b"data:")
        self.ended.add(number)

    async def check(self):
        """How many streams bring another event, and how many sessions echo another message."""
        before = dict(self.events)
        await asyncio.sleep(1)
        moving = sum(self.events[number] > before.get(number, 0) for number in range(len(self.readers)))

        async def echoes(connection):
            try:
                await connection.send("still there")
                return await asyncio.wait_for(connection.recv(), 5) == "still there"
            except Exception:
                return False

        return moving, sum(await asyncio.gather(*(echoes(connection) for connection, _ in self.sessions)))

    async def close(self):
        for _, writer, task in self.readers:
            task.cancel()
            writer.close()
        await asyncio.gather(*(connection.close() for connection, _ in self.sessions), return_exceptions=True)


def write_settings(backends, **settings):
    """Puts another file into the place of the one before, as an editor or a deployment does."""
    lines = [f"LB_BACKENDS={' '.join(backends)}", *(f"{name}={value}" for name, value in settings.items())]
    with open(f"{ENVIRONMENT}.new", "w") as file:
        file.write("\n".join(lines) + "\n")
    os.rename(f"{ENVIRONMENT}.new", ENVIRONMENT)


def begin(*arguments, **environment):
    """Starts a balancer whose settings stand in the file; its words are added to those of the ones before."""
    return start(
        [os.path.join(BIN, "curl-lb"), *arguments],
        env={
            **os.environ, "LB_LISTEN": f"127.0.0.1:{LISTEN}", "LB_ENV_FILE": ENVIRONMENT, "LB_ACCESS_LOG": "off", **environment
        },
        stdout=subprocess.DEVNULL,
        stderr=open(os.path.join(FOLDER, "diagnostics.log"), "a"),
    )


def url(port, options=""):
    return f"http://127.0.0.1:{port};name=b{port}{options}"


async def until(words, count, seconds=30):
    """Waits until so many lines on standard error contain some words."""
    end = time.monotonic() + seconds
    while len(diagnostics(words)) < count:
        if time.monotonic() > end:
            sys.exit(f"in vain waited for {count} lines with: {words}; {diagnostics('')[-5:]}")
        await asyncio.sleep(0.01)


async def reload_again_and_again(process, count):
    load, streams = Load(), Streams()
    await streams.open(100)
    running = asyncio.create_task(load.run())
    await asyncio.sleep(1)
    began = time.monotonic()
    for turn in range(1, count + 1):
        # Two stay, which have the streams; one comes and goes, and weights change.
        extra = [url(PORTS[1])] if turn % 2 else []
        write_settings([url(PORTS[0], f";weight={turn % 7 + 1}"), *extra, url(PORTS[2])], LB_RETRIES=turn % 5)
        process.send_signal(signal.SIGHUP)
        await until("is in force", turn)
        await asyncio.sleep(0.02)
    took = time.monotonic() - began
    load.isOver = True
    await running
    moving, echoing = await streams.check()
    await streams.close()
    print(
        f"  {count} reloads in {took:.1f} s; {load.answers} requests, failed {dict(load.failures) or 'none'}, slowest "
        f"{load.slowest * 1000:.0f} ms; {moving} of 100 event streams and {echoing} of 100 WebSockets go on"
    )
    return not load.failures and load.answers > 1000 and moving == 100 and echoing == 100


def origins():
    """Three origins for all kinds of requests, and no words from before."""
    library()
    raise_descriptor_limit(4096)
    open(os.path.join(FOLDER, "diagnostics.log"), "w").close()
    for port in PORTS:
        start([sys.executable, os.path.join(TRIALS, "mixed_origin.py"), str(port)], stderr=subprocess.DEVNULL)
    for port in PORTS:
        wait_for(port)


def trial_reloads(count=100):
    """A hundred other lists of backends under load, 100 event streams and 100 WebSockets beside: no request fails, no stream ends."""
    origins()
    write_settings([url(port) for port in (PORTS[0], PORTS[2])])
    process = begin()
    wait_for(LISTEN)
    return asyncio.run(reload_again_and_again(process, count))


async def take_over_again_and_again(process, count):
    load, streams = Load(), Streams()
    await streams.open(100)
    running = asyncio.create_task(load.run())
    await asyncio.sleep(1)
    former = [process]
    for turn in range(1, count + 1):
        write_settings([url(port) for port in PORTS], LB_WORKERS=turn % 3 + 1, LB_DRAIN_TIMEOUT="60s")
        former.append(begin("--takeover"))
        await until("taken over from process", turn)
        await asyncio.sleep(0.5)
    load.isOver = True
    await running
    moving, echoing = await streams.check()
    alive = [old.poll() is None for old in former]
    print(
        f"  {count} takeovers; {load.answers} requests, failed {dict(load.failures) or 'none'}, slowest {load.slowest * 1000:.0f} ms; "
        f"{moving} of 100 event streams and {echoing} of 100 WebSockets live on in the first process; alive {alive}"
    )
    await streams.close()
    end = time.monotonic() + 15
    while any(old.poll() is None for old in former[:-1]) and time.monotonic() < end:
        await asyncio.sleep(0.1)
    codes = [old.poll() for old in former]
    print(f"  after the streams' end: exit codes {codes}")
    between = all(code == 0 for code in codes[:-1]) and codes[-1] is None
    return not load.failures and load.answers > 1000 and moving == 100 and echoing == 100 and alive[0] and between


def trial_takeovers(count=10):
    """Ten processes take over from each other under load, 100 event streams and 100 WebSockets beside: no request fails."""
    origins()
    write_settings([url(port) for port in PORTS], LB_DRAIN_TIMEOUT="60s")
    process = begin()
    wait_for(LISTEN)
    return asyncio.run(take_over_again_and_again(process, count))
