"""Ordinary traffic, much of it at once: event streams, and even shares for the origins."""
import asyncio
import json
import os
import re
import subprocess
import time
import urllib.request

from harness import LISTEN, PORTS, balancer, exchange, memory, origins


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


async def in_order(count, connections):
    """Who answers, one request after the other, over several connections in turn."""
    pairs = [await asyncio.open_connection("127.0.0.1", LISTEN) for _ in range(connections)]
    names = []
    for number in range(count):
        status, _, body = await exchange(*pairs[number % connections], b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        assert status == 200
        names.append(json.loads(body)["name"])
    for _, writer in pairs:
        writer.close()
    return names


def trial_weights(count=7_000, connections=16):
    """Weights 5, 1, 1 over four workers: a a b a c a a, again and again, whichever worker has the request."""
    origins()
    weights = zip(PORTS, (5, 1, 1))
    balancer(
        LB_WORKERS="4",
        LB_BACKENDS=" ".join(f"http://127.0.0.1:{port};weight={weight}" for port, weight in weights),
    )
    names = asyncio.run(in_order(count, connections))
    expected = [f"b{'aabacaa'[number % 7].translate(str.maketrans('abc', '123'))}" for number in range(count)]
    wrong = sum(name != other for name, other in zip(names, expected))
    shares = [names.count(f"b{index}") for index in (1, 2, 3)]
    print(f"  first two rounds {' '.join(names[:14])}; {count} requests over {connections} connections: shares {shares}, out of order {wrong}")
    return wrong == 0
