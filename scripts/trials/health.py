"""One backend of three is bad: how soon it is taken out, what clients see of it, and what it still gets."""
import asyncio
import os
import signal
import subprocess
import time

from harness import BIN, LISTEN, PORTS, balancer, diagnostics, exchange, start, stop_all, wait_for

SECONDS = float(os.environ.get("TRIAL_SECONDS", "20"))
CONNECTIONS = 64
GET = b"GET / HTTP/1.1\r\nHost: trial\r\n\r\n"


class BadOrigin:
    """Serves on the second port as it is told to: error, hang, reset or slow."""

    def __init__(self, behaviour):
        self.behaviour = behaviour
        self.requests = []

    async def serve(self, reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(time.monotonic())
                if self.behaviour == "hang":
                    await asyncio.sleep(3600)
                if self.behaviour == "reset":
                    writer.transport.abort()
                    return
                if self.behaviour == "slow":
                    await asyncio.sleep(2)
                status = b"500 No" if self.behaviour == "error" else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


async def client(results, end):
    """Asks again and again; what is not answered when the trial ends, is cut."""
    reader = writer = None
    while time.monotonic() < end:
        begun = time.monotonic()
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
            status, fields, _ = await exchange(reader, writer, GET)
            if fields.get("connection") == "close":
                writer.close()
                writer = None
        except (OSError, asyncio.IncompleteReadError):
            status, writer = 0, None
        results.append((begun, time.monotonic() - begun, status))


async def measure(behaviour):
    bad = BadOrigin(behaviour)
    server = await asyncio.start_server(bad.serve, "127.0.0.1", PORTS[1])
    for port in (PORTS[0], PORTS[2]):
        start([os.path.join(BIN, "origin"), "--port", str(port), "--name", "good"], stdout=subprocess.DEVNULL)
        await asyncio.to_thread(wait_for, port)
    process = await asyncio.to_thread(balancer, LB_ACCESS_LOG="off")
    results, begin = [], time.monotonic()
    tasks = [asyncio.create_task(client(results, begin + SECONDS)) for _ in range(CONNECTIONS)]
    ejected = None
    while time.monotonic() < begin + SECONDS:
        await asyncio.sleep(0.05)
        if ejected is None and diagnostics("is ejected"):
            ejected = time.monotonic()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    process.send_signal(signal.SIGKILL)
    server.close()
    if ejected is None:
        print(f"  {behaviour}: not ejected in {SECONDS:.0f} s")
        return False
    after = [result for result in results if result[0] >= ejected]
    errors = sum(status != 200 for _, _, status in after)
    late = sum(moment >= ejected + 0.1 for moment in bad.requests)
    times = sorted(elapsed for _, elapsed, _ in after)
    before = sum(status != 200 for moment, _, status in results if moment < ejected)
    p99 = times[len(times) * 99 // 100] * 1000 if times else 0
    print(
        f"  {behaviour}: out after {ejected - begin:.1f} s ({diagnostics('is ejected')[0].split(': ', 2)[-1]}); then"
        f" {len(after)} requests, {errors} errors, p99 {p99:.1f} ms; it got {late} ({100 * late / max(1, len(after)):.2f} %);"
        f" before: {before} errors, {len(bad.requests) - late} requests",
        flush=True,
    )
    return ejected - begin < 5 and errors == 0 and after and late <= 0.02 * len(after) and p99 < 1000


def trial_outliers():
    """one of three backends errs, hangs, resets or is slow: out within 5 s, and nobody sees it afterwards"""
    passed = True
    for behaviour in ("error", "hang", "reset", "slow"):
        passed &= asyncio.run(measure(behaviour))
        stop_all()
    return passed
