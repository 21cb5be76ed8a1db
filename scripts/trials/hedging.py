"""A few answers take far longer than the rest: what LB_HEDGE makes of them, and what it costs."""
import asyncio
import random
import re
import time

from harness import LISTEN, PORTS, balancer, exchange, log_lines, stop_all

USUAL, LONG, SHARE = 0.005, 0.5, 0.02
REQUESTS, CLIENTS, SEED = 4000, 16, 20_260_702


class Origin:
    """Answers soon, and now and then late; counts what it was asked."""

    asked = 0
    chance = random.Random(SEED)

    async def serve(self, reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked += 1
                await asyncio.sleep(LONG if self.chance.random() < SHARE else USUAL)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


async def measure(hedge):
    origins = [Origin() for _ in PORTS]
    servers = [await asyncio.start_server(origin.serve, "127.0.0.1", port) for origin, port in zip(origins, PORTS)]
    await asyncio.to_thread(balancer, LB_HEDGE=hedge, LB_HEALTH="off", LB_EJECT="off")
    numbers, times, wrong = iter(range(REQUESTS)), [], 0

    async def client():
        nonlocal wrong
        reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
        for _ in numbers:
            begun = time.monotonic()
            status, _, body = await exchange(reader, writer, b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
            times.append(time.monotonic() - begun)
            wrong += status != 200 or body != b"ok\n"
        writer.close()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    await asyncio.sleep(0.3)
    stop_all()
    for server in servers:
        server.close()
    hedged = sum("notes=hedged" in line for line in log_lines())
    won = sum("hedge_won" in line for line in log_lines())
    attempts = sum(int(re.search(r" attempts=(\d+)", line).group(1)) for line in log_lines())
    times.sort()
    p99, asked = times[len(times) * 99 // 100], sum(origin.asked for origin in origins)
    print(
        f"  LB_HEDGE={hedge}: {len(times)} answers, {wrong} wrong; median {times[len(times) // 2] * 1000:.1f} ms,"
        f" p99 {p99 * 1000:.1f} ms, worst {times[-1] * 1000:.0f} ms; {hedged} hedged, {won} won;"
        f" {attempts} attempts, {asked} at the origins ({100 * asked / len(times) - 100:.1f} % more than requests)"
    )
    return p99, wrong, asked


def trial_hedge():
    """Two of a hundred answers take half a second: with LB_HEDGE the 99th percentile does not, for a few percent of requests."""
    slow, wrong, _ = asyncio.run(measure("off"))
    quick, more_wrong, asked = asyncio.run(measure("50ms"))
    return wrong == more_wrong == 0 and slow > 0.4 and quick < 0.2 and asked < REQUESTS * 1.1
