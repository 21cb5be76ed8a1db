"""Every backend is down: what clients are told, how soon, and how soon it is over when one comes back."""
import asyncio
import collections
import json
import os
import signal
import subprocess
import time

from harness import BIN, LISTEN, PORTS, balancer, diagnostics, exchange, start, wait_for

INTERVAL, RISE = 1.0, 2
# While a backend is down it is checked half as often, and a tenth of chance comes on top; then RISE - 1 checks at half the interval.
RECOVERY = 2 * INTERVAL * 1.1 + (RISE - 1) * INTERVAL / 2 * 1.1 + 0.5
ANSWERED_WITHIN = 0.010
REQUESTS = 500


def origin(port):
    return start(
        [os.path.join(BIN, "origin"), "--port", str(port), "--name", f"b{port}"], stdout=subprocess.DEVNULL
    )


async def ask():
    """One request on a connection of its own; returns how long its answer took, without connecting."""
    reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
    begun = time.monotonic()
    status, fields, body = await exchange(reader, writer, b"GET / HTTP/1.1\r\nHost: t\r\nAccept: application/json\r\n\r\n")
    elapsed = time.monotonic() - begun
    writer.close()
    return elapsed, status, fields, body


async def while_down():
    """Asks for a while; returns the times, and how often each answer came."""
    times, answers = [], collections.Counter()
    for _ in range(REQUESTS):
        elapsed, status, fields, body = await ask()
        times.append(elapsed)
        reason = json.loads(body)["reason"] if status != 200 else "-"
        answers[status, reason, fields.get("retry-after", "-")] += 1
    return sorted(times), answers


async def until_answered():
    begun = time.monotonic()
    while (await ask())[1] != 200:
        await asyncio.sleep(0.01)
    return time.monotonic() - begun


def until_said(word, count, seconds):
    """How long it takes until so many lines on standard error have a word; None when that is too long."""
    begun = time.monotonic()
    while len(diagnostics(word)) < count:
        if time.monotonic() - begun > seconds:
            return None
        time.sleep(0.01)
    return time.monotonic() - begun


def all_down(panic):
    children = [origin(port) for port in PORTS]
    for port in PORTS:
        wait_for(port)
    process = balancer(LB_HEALTH_INTERVAL=f"{int(INTERVAL * 1000)}ms", LB_HEALTH_RISE=str(RISE), LB_PANIC=panic)
    assert asyncio.run(ask())[1] == 200
    for child in children:
        child.kill()
        child.wait()
    _, status, fields, body = asyncio.run(ask())
    print(f"  panic {panic}: before checks have seen it: {status} {json.loads(body)['reason']}")
    noticed = until_said(" is down, ", len(PORTS), 30)
    times, answers = asyncio.run(while_down())
    p99, worst = times[len(times) * 99 // 100], times[-1]
    print(
        f"  panic {panic}: seen after {noticed:.1f} s; {REQUESTS} answers {dict(answers)}: median"
        f" {times[len(times) // 2] * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms, worst {worst * 1000:.2f} ms"
    )
    right = all(
        status == 503 and reason == "destination_unavailable" and retry_after.isdigit()
        for status, reason, retry_after in answers
    )
    children[1] = origin(PORTS[1])
    wait_for(PORTS[1])
    answered = asyncio.run(until_answered())
    up = until_said(" is up, was down", 1, 30)
    print(
        f"  panic {panic}: one backend is back: the next 200 after {answered:.2f} s, up by its checks after"
        f" {answered + up if up is not None else -1:.2f} s (allowed {RECOVERY:.2f} s)"
    )
    process.send_signal(signal.SIGKILL)
    process.wait()
    children[1].kill()
    children[1].wait()
    return right and p99 <= ANSWERED_WITHIN and answered <= RECOVERY and up is not None and answered + up <= RECOVERY


def trial_all_down():
    """All backends are killed: 503 with Retry-After and a reason within 10 ms; one that comes back serves after its checks."""
    return all([all_down("on"), all_down("off")])
