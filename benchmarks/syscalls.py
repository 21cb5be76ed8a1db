"""System calls per request, in a short run of their own: counting them costs time."""
import os
import shutil
import subprocess
import time

import load
import processes


def per_request(process, workload, seconds, rate, cores, run):
    """Counts with perf, or with strace where perf is not permitted; None where there is neither."""
    pids = ",".join(map(str, processes.members(process)))
    if perf_is_permitted():
        report = os.path.join(run, "perf.csv")
        around = ["perf", "stat", "-x,", "-o", report, "-e", "raw_syscalls:sys_enter", "-p", pids]
        requests = load.run(workload, seconds, rate, cores, around).requests
        with open(report) as file:
            for line in file:
                if "raw_syscalls:sys_enter" in line:
                    return int(line.split(",")[0]) / requests
        return None
    if shutil.which("strace"):
        return by_strace(pids, workload, seconds, rate, cores, os.path.join(run, "strace.txt"))
    return None


def perf_is_permitted():
    """Whether perf is there and may count."""
    if not shutil.which("perf"):
        return False
    command = ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", str(os.getpid()), "true"]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def by_strace(pids, workload, seconds, rate, cores, report):
    """The same with strace, under which the proxy is many times slower; the number of calls is nearly the same."""
    command = ["strace", "-f", "-c", "-o", report, *(word for pid in pids.split(",") for word in ("-p", pid))]
    tracer = processes.start(command, cores, errors=subprocess.DEVNULL)
    time.sleep(0.5)
    requests = load.run(workload, seconds, rate, cores).requests
    processes.stop(tracer)
    with open(report) as file:
        for line in file:
            if line.rstrip().endswith(" total"):
                # Per cent, seconds, microseconds per call, calls.
                return int(line.split()[3]) / requests
    return None
