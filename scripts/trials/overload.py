"""Three times what the backends can do: what is answered, what is refused, and what that costs."""
import asyncio
import collections
import time

from harness import LISTEN, PORTS, balancer, exchange, log_lines, memory, reasons

PLACES, SERVICE, QUEUE = 4, 0.050, 12
CAPACITY = len(PORTS) * PLACES / SERVICE
SECONDS = 8
GET = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


class Origin:
    """Takes the same time for each request, and knows the most it had at a time."""

    def __init__(self):
        self.at_once = self.most = 0

    async def serve(self, reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.at_once += 1
                self.most = max(self.most, self.at_once)
                try:
                    await asyncio.sleep(SERVICE)
                finally:
                    self.at_once -= 1
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


async def closed_loop(clients, seconds):
    """Goodput when that many clients ask one after the other."""
    good, end = 0, time.monotonic() + seconds

    async def client():
        nonlocal good
        reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
        while time.monotonic() < end:
            status, _, _ = await exchange(reader, writer, GET)
            good += status == 200
        writer.close()

    begun = time.monotonic()
    await asyncio.gather(*(client() for _ in range(clients)))
    return good / (time.monotonic() - begun)


async def open_loop(rate, seconds):
    """Requests at their times, whatever becomes of others; connections are used again."""
    results, resting, tasks = [], [], []

    async def ask():
        reader, writer = resting.pop() if resting else await asyncio.open_connection("127.0.0.1", LISTEN)
        begun = time.monotonic()
        try:
            status, fields, _ = await exchange(reader, writer, GET)
        except (OSError, asyncio.IncompleteReadError):
            results.append((time.monotonic(), time.monotonic() - begun, 0, None))
            return
        results.append((time.monotonic(), time.monotonic() - begun, status, fields.get("retry-after")))
        resting.append((reader, writer))

    begun = time.monotonic()
    for number in range(int(rate * seconds)):
        delay = begun + number / rate - time.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)
        tasks.append(asyncio.create_task(ask()))
    await asyncio.gather(*tasks)
    for _, writer in resting:
        writer.close()
    return begun, results


async def overload():
    origins = [Origin() for _ in PORTS]
    for origin, port in zip(origins, PORTS):
        await asyncio.start_server(origin.serve, "127.0.0.1", port, backlog=512)
    process = await asyncio.to_thread(
        balancer,
        LB_BACKENDS=" ".join(f"http://127.0.0.1:{port};name=b{port};max_conns={PLACES}" for port in PORTS),
        LB_QUEUE=str(QUEUE),
    )
    places = len(PORTS) * PLACES
    best = max([await closed_loop(clients, 3) for clients in (places, places + QUEUE // 2, places + QUEUE)])
    resident = memory(process, "VmRSS")
    begun, results = await open_loop(3 * CAPACITY, SECONDS)
    # The first and the last second are not the steady state.
    steady = [result for result in results if begun + 1 <= result[0] < begun + SECONDS]
    good = sorted(elapsed for _, elapsed, status, _ in steady if status == 200)
    goodput = len(good) / (SECONDS - 1)
    refused = sorted(elapsed for _, elapsed, status, _ in steady if status == 503)
    outcomes = collections.Counter((status, after) for _, _, status, after in results)
    growth = memory(process, "VmHWM") - resident
    print(
        f"  at capacity ({CAPACITY:.0f}/s by arithmetic) best {best:.1f}/s; at three times that {goodput:.1f}/s"
        f" ({100 * goodput / best:.1f} %), median {good[len(good) // 2] * 1000:.0f} ms, p99 {good[len(good) * 99 // 100] * 1000:.0f} ms"
    )
    print(
        f"  outcomes (status, Retry-After) {dict(outcomes)}, reasons {reasons()}; refused after median"
        f" {refused[len(refused) // 2] * 1000:.2f} ms, p99 {refused[len(refused) * 99 // 100] * 1000:.2f} ms;"
        f" most at a backend {max(origin.most for origin in origins)}; memory grew by {growth:.1f} MiB; log lines {len(log_lines())}"
    )
    return (
        goodput >= 0.95 * best
        and set(outcomes) == {(200, None), (503, "1")}
        and set(reasons()) == {"queue_full"}
        and refused[len(refused) * 99 // 100] < SERVICE
        and max(origin.most for origin in origins) <= PLACES
        and growth < 8
    )


def trial_overload():
    """Three times the capacity: as much is answered as at capacity, the rest refused at once, memory stays bounded."""
    return asyncio.run(overload())
