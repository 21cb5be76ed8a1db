"""POSTs to backends that break off and die at random points: each is answered or reported, none is done twice."""
import asyncio
import collections
import itertools
import os
import random
import re
import sys

from harness import FOLDER, LISTEN, PORTS, TRIALS, balancer, exchange, log_lines, start, wait_for

COUNT, CLIENTS, SEED = 10_000, 32, 20_260_701
SIZES = (16, 16, 16, 400, 4_000, 40_000, 100_000)


class Nursery:
    """The origins, each of which is started again as soon as it has died."""

    def __init__(self):
        self.deaths = 0
        self.seeds = itertools.count(SEED)
        self.children = {port: self.bear(port) for port in PORTS}

    def bear(self, port):
        script = os.path.join(TRIALS, "mortal_origin.py")
        return start([sys.executable, script, str(port), f"{FOLDER}/{port}.posts", str(next(self.seeds))])

    async def watch(self):
        while True:
            for port, child in self.children.items():
                if child.poll() is not None:
                    self.deaths += 1
                    self.children[port] = self.bear(port)
            await asyncio.sleep(0.005)


async def post(numbers, chance, outcomes):
    """A client: one POST after the other; what became of each is noted under its number."""
    writer = None
    for number in numbers:
        body = f"{number} ".encode().ljust(chance.choice(SIZES), b".")
        request = b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
            status, fields, answer = await exchange(reader, writer, request)
            if status == 200:
                outcomes[number] = "done" if answer == b"%d done\n" % number else "somebody else's answer"
            else:
                reason = re.search(r"Reason: (\S+)", answer.decode())
                outcomes[number] = f"{status} {reason.group(1) if reason else 'without a reason'}"
                if reason and reason.group(1) in ("connection_refused", "destination_unavailable"):
                    # None lives just now: without a pause all the others would be reported for that one reason.
                    await asyncio.sleep(0.2)
            if fields.get("connection") == "close":
                writer.close()
                writer = None
        except (OSError, asyncio.IncompleteReadError):
            # How a response that has begun is told to be incomplete; the log has the reason.
            outcomes[number] = "cut"
            if writer:
                writer.close()
            writer = None
    if writer:
        writer.close()


async def run(nursery):
    watcher = asyncio.create_task(nursery.watch())
    numbers, outcomes = iter(range(COUNT)), {}
    await asyncio.gather(*(post(numbers, random.Random(SEED + client), outcomes) for client in range(CLIENTS)))
    watcher.cancel()
    return outcomes


def trial_posts():
    """10,000 POSTs against backends that break off and die anywhere: each succeeds or is reported, none arrives twice."""
    nursery = Nursery()
    for port in PORTS:
        wait_for(port)
    process = balancer()
    outcomes = asyncio.run(run(nursery))
    process.terminate()
    process.wait()
    arrived = collections.Counter()
    for port in PORTS:
        with open(f"{FOLDER}/{port}.posts") as record:
            arrived.update(int(line) for line in record)
    kinds = collections.Counter(outcomes.values())
    done = {number for number, outcome in outcomes.items() if outcome == "done"}
    reported = set(outcomes) - done
    twice = [number for number, count in arrived.items() if count > 1]
    lines = [line for line in log_lines() if '"POST ' in line]
    # A response that is cut goes under its own status, with the reason.
    explained = sum(" reason=" in line for line in lines)
    print(
        f"  outcomes {dict(kinds)}; {nursery.deaths} origins died; retried {sum(' failed=' in line for line in lines)}"
    )
    print(
        f"  received whole {sum(arrived.values())} = {len(done)} done + {len(reported & set(arrived))} reported; twice {len(twice)};"
        f" done without having arrived {len(done - set(arrived))}; log lines {len(lines)}, with a reason {explained}"
    )
    return (
        len(outcomes) == COUNT
        and not twice
        and not done - set(arrived)
        and sum(arrived.values()) == len(done) + len(reported & set(arrived))
        and not any("without a reason" in kind or "else's" in kind for kind in kinds)
        and len(lines) == COUNT
        and explained == len(reported)
        and nursery.deaths > 0
        and len(done) > COUNT * 0.8
    )
