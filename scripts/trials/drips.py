"""Slow heads in great number: clients that drip a byte a second must not be felt by the others."""
import asyncio
import collections
import json
import os
import subprocess
import sys

from harness import (
    LISTEN, TRIALS, balancer, descriptors, descriptors_return, memory, origins, raise_descriptor_limit, reasons,
    settled_descriptors, start,
)
from steady import Steady

DRIPPERS = 4
RATE = 200
HEADER_TIMEOUT = 20
MEASURED = 10
TOLERANCE = 3.0


def dripper(number, count):
    # An address of its own for each, so that local ports do not run short.
    return start(
        [sys.executable, os.path.join(TRIALS, "dripper.py"), str(LISTEN), str(count), f"127.0.0.{number + 2}"],
        stdout=subprocess.PIPE,
        text=True,
    )


async def line(process):
    return await asyncio.to_thread(process.stdout.readline)


async def run(process, count):
    baseline = await settled_descriptors(process)
    before = memory(process, "VmRSS")
    alone = await Steady(RATE).run_for(MEASURED)
    print(f"  alone       {alone}")
    drippers = [dripper(number, count // DRIPPERS) for number in range(DRIPPERS)]
    opened = await asyncio.gather(*(line(process) for process in drippers))
    ends = asyncio.gather(*(line(process) for process in drippers))
    most, resident = descriptors(process), memory(process, "VmRSS")
    beside = await Steady(RATE).run_for(MEASURED)
    print(f"  with drips  {beside}")
    is_still_dripping = not ends.done()
    until = asyncio.Event()
    ends.add_done_callback(lambda _: until.set())
    ending = Steady(RATE)
    await ending.run(until)
    print(f"  at the end  {ending}")
    print(
        f"  ratio       p50 {beside.quantile(0.5) / alone.quantile(0.5):.2f}, "
        f"p99 {beside.quantile(0.99) / alone.quantile(0.99):.2f}"
    )
    results = [json.loads(text) for text in await ends]
    statuses, how = collections.Counter(), collections.Counter()
    for result in results:
        statuses.update(result["statuses"])
        how.update(result["ends"])
    first, last = min(result["first"] for result in results), max(result["last"] for result in results)
    left = await descriptors_return(process, baseline, 15)
    peak = memory(process)
    timed_out = reasons().get("request_head_timeout", 0)
    print(f"  drips       {dict(statuses)}, {dict(how)}, after {first:.1f} to {last:.1f} s; {timed_out} in the log")
    print(
        f"  memory      {before:.1f} MiB before, {resident:.1f} MiB with all drips, {peak:.1f} MiB at most; "
        f"{(resident - before) * 1024 / count:.1f} KiB a drip"
    )
    print(f"  descriptors {baseline} before, {most} with all drips, {left} after")
    return (
        opened == ["open\n"] * DRIPPERS and is_still_dripping
        and not alone.failures and not beside.failures and not ending.failures
        and beside.quantile(0.99) < max(20, 3 * alone.quantile(0.99)) and ending.quantile(1) < 1000
        and statuses == {"408": count} and how == {"closed": count} and timed_out == count
        and HEADER_TIMEOUT - 0.1 < first and last < HEADER_TIMEOUT + TOLERANCE
        and left <= baseline and peak < 100
    )


def trial_drips(count=10_000):
    """10,000 connections that drip a header byte a second: others are served as before, each drip ends with a 408."""
    raise_descriptor_limit(count + 2000)
    origins()
    process = balancer(LB_HEADER_TIMEOUT=f"{HEADER_TIMEOUT}s", LB_MAX_CONNECTIONS=str(count + 1000))
    return asyncio.run(run(process, count))
