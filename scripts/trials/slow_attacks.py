"""slowhttptest's attacks: the service stays available by the tool's judgement and by ours."""
import asyncio
import csv
import os
import re
import shutil
import subprocess
import sys

from harness import (
    FOLDER, LISTEN, PORTS, TRIALS, Missing, balancer, descriptors_return, memory, processor_seconds, raise_descriptor_limit,
    reasons, settled_descriptors, start, wait_for,
)
from steady import Steady

CONNECTIONS = 1000
SECONDS = 40
# The kernel takes megabytes of a response for a slow reader: 1 MB each is what a small machine can spare for all of them.
SLOWLY_READ = "/bytes/1000000"
# A pace that is judged every 60 s, as by default, would be judged after the attack: these two are shorter.
PACE = {"LB_BODY_PACE": "1KiB/20s"}
ATTACKS = {
    "slow headers": (["-H", "-i", "5"], "/", {}),
    "slow body": (["-B", "-i", "5", "-s", "8192"], "/upload", PACE),
    "range": (["-R", "-a", "5", "-b", "2000"], "/", {}),
    "slow read": (["-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32"], SLOWLY_READ, PACE),
}


async def slowhttptest(name, arguments, target):
    """Runs the tool; returns why it ended, its availability column and the most connections that it had at once."""
    report = os.path.join(FOLDER, name.replace(" ", "-"))
    tool = await asyncio.create_subprocess_exec(
        "slowhttptest", *arguments, "-c", str(CONNECTIONS), "-r", "200", "-l", str(SECONDS), "-p", "3", "-g", "-o", report,
        "-u", f"http://127.0.0.1:{LISTEN}{target}",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )
    output = re.sub(r"\x1b\[[0-9;]*m", "", (await tool.communicate())[0].decode(errors="replace"))
    ended = re.search(r"Exit status:\s*(.*)", output)
    with open(f"{report}.csv") as lines:
        rows = list(csv.DictReader(lines))
    available = [int(row["Service Available"]) > 0 for row in rows]
    return ended.group(1).strip() if ended else "unknown", available, max(int(row["Connected"]) for row in rows)


async def most_kernel_memory(until):
    """What the kernel holds at most for the TCP sockets of this network namespace until an event is set, in MiB."""
    most = 0
    while not until.is_set():
        with open("/proc/net/sockstat") as statistics:
            pages = int(re.search(r"^TCP: .* mem (\d+)", statistics.read(), re.MULTILINE).group(1))
        most = max(most, pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20))
        await asyncio.sleep(0.5)
    return most


async def attack(name, process):
    arguments, target, settings = ATTACKS[name]
    baseline = await settled_descriptors(process)
    over, probe = asyncio.Event(), Steady(10, reuse=False)
    watching = asyncio.gather(most_kernel_memory(over), probe.run(over))
    ended, available, most = await slowhttptest(name, arguments, target)
    over.set()
    kernel, _ = await watching
    left = await descriptors_return(process, baseline, 15)
    setting = ", ".join(f"{key}={value}" for key, value in settings.items()) or "default limits"
    print(f"  {name} ({' '.join(arguments)}; {setting}): {ended} after {len(available)} s, {most} connections at most")
    print(f"    available by the tool in {sum(available)} of {len(available)} s; our probe: {probe}")
    print(
        f"    reasons {reasons()}; {processor_seconds(process):.1f} s of processor time; {memory(process):.1f} MiB at most, "
        f"{kernel:.0f} MiB in the kernel for all TCP sockets; descriptors {baseline} before, {left} after"
    )
    return all(available) and len(available) > 2 and probe.waits and not probe.failures and left <= baseline


def trial_slow_attacks():
    """slowhttptest with slow headers, slow bodies, ranges and slow reads: the service stays available, nothing is left."""
    if not shutil.which("slowhttptest"):
        raise Missing("slowhttptest is missing; on Debian: apt-get install slowhttptest")
    raise_descriptor_limit(4 * CONNECTIONS)
    for port in PORTS:
        # The demo's origin takes some 50 ms for the heads of the range attack, and would be what is not available.
        start([sys.executable, os.path.join(TRIALS, "plain_origin.py"), str(port)], stderr=subprocess.DEVNULL)
    for port in PORTS:
        wait_for(port)
    passed = True
    for name, (_, _, settings) in ATTACKS.items():
        process = balancer(**settings)
        passed = asyncio.run(attack(name, process)) and passed
        process.kill()
        process.wait()
    return passed
