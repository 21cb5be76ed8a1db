"""Requests at a constant rate, for measuring how others fare beside a load."""
import asyncio
import collections
import time

from harness import LISTEN, exchange

REQUEST = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n"


class Steady:
    """Sends requests at their appointed times, whether the ones before are answered or not.

    A wait is counted from the appointed time, so that a stall is seen by all requests that fall into it.
    """

    def __init__(self, rate, reuse=True, limit=10.0):
        self.rate, self.reuse, self.limit = rate, reuse, limit
        self.waits, self.failures, self.idle = [], collections.Counter(), []

    async def run(self, until):
        """Sends until an event is set, then waits for the last answers."""
        loop, began, tasks = asyncio.get_running_loop(), time.monotonic(), set()
        due = began
        while not until.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = loop.create_task(self.request(due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            due += 1 / self.rate
        await asyncio.gather(*tasks)
        for _, writer in self.idle:
            writer.close()
        self.idle.clear()

    async def run_for(self, seconds):
        until = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, until.set)
        await self.run(until)
        return self

    async def request(self, due):
        connection = self.idle.pop() if self.idle else None
        try:
            async with asyncio.timeout(self.limit):
                connection = connection or await asyncio.open_connection("127.0.0.1", LISTEN)
                status, fields, _ = await exchange(*connection, REQUEST)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.failures[type(error).__name__] += 1
            if connection:
                connection[1].close()
            return
        if status == 200:
            self.waits.append((time.monotonic() - due) * 1000)
        else:
            self.failures[status] += 1
        if self.reuse and fields.get("connection") != "close":
            self.idle.append(connection)
        else:
            connection[1].close()

    def quantile(self, share):
        """The wait in milliseconds that this share of the requests did not exceed."""
        ordered = sorted(self.waits) or [float("inf")]
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    def __str__(self):
        failed = f", failed {dict(self.failures)}" if self.failures else ""
        return (
            f"{len(self.waits)} answered{failed}, "
            f"p50 {self.quantile(0.5):.1f} ms, p99 {self.quantile(0.99):.1f} ms, worst {self.quantile(1):.1f} ms"
        )
