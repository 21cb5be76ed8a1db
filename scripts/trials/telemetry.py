"""What telemetry costs: processor time for each request with it and without it, side by side."""
import os
import re
import statistics
import subprocess
import sys

import harness
from harness import FOLDER, ROOT, Missing, balancer, processor_seconds, start, wait_for

ORIGIN_PORTS = (18081, 18082, 18083)
CONNECTIONS = 64
ROUNDS = int(os.environ.get("TRIAL_ROUNDS", "5"))
SECONDS = int(os.environ.get("TRIAL_SECONDS", "4"))
# What is aimed at is 1.03. By profile an access log in JSON has 6 %: half of it is the text, a quarter the facts, a quarter the kernel's.
LIMIT = 1.1


def fast_origins():
    """The benchmark's origins: 100 bytes, as many requests as one core can have."""
    path = os.path.join(ROOT, ".build-bench", "bin", "origin")
    if not os.path.exists(path):
        path = os.path.join(FOLDER, "bench-origin")
        source = os.path.join(ROOT, "benchmarks", "origin", "origin.c")
        subprocess.run(["gcc", "-O2", "-o", path, source], check=True)
    start([path, str(ORIGIN_PORTS[0]), str(len(ORIGIN_PORTS)), "0"])
    for port in ORIGIN_PORTS:
        wait_for(port)


def microseconds(**settings):
    """Processor time for each request at a balancer of its own, which has one core, in microseconds."""
    cores = sorted(os.sched_getaffinity(0))
    process = balancer(
        "taskset", "-c", str(cores[0]),
        LB_BACKENDS=" ".join(f"http://127.0.0.1:{port}" for port in ORIGIN_PORTS),
        LB_WORKERS="1",
        **settings,
    )
    load = ["taskset", "-c", str(cores[-1]), "wrk", "-t1", f"-c{CONNECTIONS}", f"http://127.0.0.1:{harness.LISTEN}/"]
    try:
        subprocess.run([*load, "-d1s"], check=True, capture_output=True)
        before = processor_seconds(process)
        said = subprocess.run([*load, f"-d{SECONDS}s"], check=True, capture_output=True, text=True).stdout
        used = processor_seconds(process) - before
        if process.poll() is not None:
            sys.exit(f"curl-lb has ended: is port {harness.LISTEN} in use? TRIAL_PORT chooses another")
    except FileNotFoundError:
        raise Missing("wrk is needed (Debian: wrk)") from None
    finally:
        process.terminate()
        process.wait()
    if errors := re.search("Non-2xx.*|Socket errors.*", said):
        sys.exit(errors[0])
    return used / int(re.search(r"(\d+) requests in", said)[1]) * 1e6


def trial_telemetry_cost():
    """metrics are always on; an access log in JSON costs at most a tenth of a request's processor time, beside it spans are measured"""
    fast_origins()
    collector = start([sys.executable, os.path.join(harness.TRIALS, "swallowing_collector.py"), "18090"])
    wait_for(18090)
    log = os.path.join(FOLDER, "cost.log")
    kinds = {
        "off": {"LB_ACCESS_LOG": "off"},
        "json": {"LB_ACCESS_LOG": log, "LB_ACCESS_LOG_FORMAT": "json"},
        "trace on": {"LB_ACCESS_LOG": "off", "LB_TRACE": "on"},
        "spans of 1/100": {"LB_ACCESS_LOG": "off", "LB_OTLP_ENDPOINT": "http://127.0.0.1:18090", "LB_TRACE_SAMPLE": "1/100"},
        "all spans": {"LB_ACCESS_LOG": "off", "LB_OTLP_ENDPOINT": "http://127.0.0.1:18090"},
    }
    found = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        for kind, settings in kinds.items():
            found[kind].append(microseconds(**settings))
            if os.path.exists(log):
                os.remove(log)
    collector.terminate()
    # Of each round, so that a machine that is slower for a while counts on both sides.
    ratios = {
        kind: statistics.median(value / off for value, off in zip(values, found["off"])) for kind, values in found.items()
    }
    for kind, values in found.items():
        print(
            f"  {kind}: {statistics.median(values):.2f} µs for a request ({min(values):.2f} to {max(values):.2f}), "
            f"ratio {ratios[kind]:.3f}"
        )
    return ratios["json"] <= LIMIT
