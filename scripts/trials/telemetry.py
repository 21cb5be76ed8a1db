"""What telemetry costs: processor time for each request with it and without it, side by side at one time."""
import glob
import os
import re
import statistics
import subprocess
import sys

import harness
from harness import BIN, FOLDER, LISTEN, ROOT, Missing, start, wait_for

ORIGIN_PORTS = (18081, 18082, 18083)
CONNECTIONS = 64
ROUNDS = int(os.environ.get("TRIAL_ROUNDS", "4"))
SECONDS = int(os.environ.get("TRIAL_SECONDS", "8"))
# What an access log in JSON may cost beside a request without one; metrics are always on.
LIMIT = 1.03


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


class Measured:
    """A balancer on one core, with its load on another."""

    def __init__(self, port, **settings):
        cores = sorted(os.sched_getaffinity(0))
        self.process = start(
            ["taskset", "-c", str(cores[0]), os.path.join(BIN, "curl-lb")],
            env={
                **os.environ,
                "LB_LISTEN": f"127.0.0.1:{port}",
                "LB_BACKENDS": " ".join(f"http://127.0.0.1:{port}" for port in ORIGIN_PORTS),
                "LB_WORKERS": "1",
                "LB_ADMIN": "off",
                **settings,
            },
            stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(FOLDER, f"diagnostics-{port}.log"), "w"),
        )
        self.load = ["taskset", "-c", str(cores[-1]), "wrk", "-t1", f"-c{CONNECTIONS}", f"http://127.0.0.1:{port}/"]
        wait_for(port)

    def processor_time(self):
        """What all threads have used, in microseconds (proc(5), schedstat)."""
        used = 0
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            with open(path) as file:
                used += int(file.read().split()[0])
        return used / 1000

    def begin(self, seconds):
        self.before = self.processor_time()
        try:
            self.running = subprocess.Popen([*self.load, f"-d{seconds}s"], stdout=subprocess.PIPE, text=True)
        except FileNotFoundError:
            raise Missing("wrk is needed (Debian: wrk)") from None

    def end(self):
        """Processor time for each request since the load began, in microseconds."""
        said, _ = self.running.communicate()
        used = self.processor_time() - self.before
        if errors := re.search("Non-2xx.*|Socket errors.*", said):
            sys.exit(errors[0])
        return used / int(re.search(r"(\d+) requests in", said)[1])

    def stop(self):
        self.process.terminate()
        self.process.wait()


def at_once(balancers, seconds):
    """The processor time for each request of several balancers that share a core: what slows it slows all of them."""
    for balancer in balancers:
        balancer.begin(seconds)
    return [balancer.end() for balancer in balancers]


def trial_telemetry_cost():
    """metrics are always on; an access log in JSON costs at most 3 % of a request's processor time, beside it spans are measured"""
    fast_origins()
    collector = start([sys.executable, os.path.join(harness.TRIALS, "swallowing_collector.py"), "18090"])
    wait_for(18090)
    logs = {form: os.path.join(FOLDER, f"cost-{form}.log") for form in ("json", "text")}
    spans = {"LB_ACCESS_LOG": "off", "LB_OTLP_ENDPOINT": "http://127.0.0.1:18090"}
    kinds = {
        "off": {"LB_ACCESS_LOG": "off"},
        "json": {"LB_ACCESS_LOG": logs["json"], "LB_ACCESS_LOG_FORMAT": "json"},
        "text": {"LB_ACCESS_LOG": logs["text"]},
        "trace on": {"LB_ACCESS_LOG": "off", "LB_TRACE": "on"},
        "spans of 1/100": {**spans, "LB_TRACE_SAMPLE": "1/100"},
        "all spans": spans,
    }
    ratios = {kind: [] for kind in kinds if kind != "off"}
    found = {kind: [] for kind in kinds}
    for turn in range(ROUNDS):
        for kind, values in ratios.items():
            # Processes of their own for each pair, for where memory happens to lie matters, too.
            balancers = [Measured(LISTEN + index, **kinds[side]) for index, side in enumerate(("off", kind))]
            at_once(balancers, 1)
            off, on = at_once(balancers, SECONDS) if turn % 2 == 0 else reversed(at_once(balancers[::-1], SECONDS))
            found["off"].append(off)
            found[kind].append(on)
            values.append(on / off)
            for balancer in balancers:
                balancer.stop()
            for log in logs.values():
                if os.path.exists(log):
                    os.truncate(log, 0)
    collector.terminate()
    print(f"  off: {statistics.median(found['off']):.2f} µs for a request ({min(found['off']):.2f} to {max(found['off']):.2f})")
    for kind, values in ratios.items():
        print(
            f"  {kind}: {statistics.median(found[kind]):.2f} µs for a request, ratio {statistics.median(values):.3f} "
            f"({min(values):.3f} to {max(values):.3f})"
        )
    return statistics.median(ratios["json"]) <= LIMIT
