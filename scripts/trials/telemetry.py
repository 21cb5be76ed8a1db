"""What telemetry costs: processor time for each request with it and without it, side by side at one time."""
import glob
import os
import re
import shutil
import statistics
import subprocess
import sys

import harness
from harness import BIN, FOLDER, LISTEN, ROOT, Missing, start, wait_for

ORIGIN_PORTS = (18081, 18082, 18083)
CONNECTIONS = 64
ROUNDS = int(os.environ.get("TRIAL_ROUNDS", "4"))
SECONDS = int(os.environ.get("TRIAL_SECONDS", "8"))
LAYOUTS = int(os.environ.get("TRIAL_LAYOUTS", "5"))
# What telemetry may cost beside a request without it.
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

    def __init__(self, port, program=os.path.join(BIN, "curl-lb"), **settings):
        cores = sorted(os.sched_getaffinity(0))
        self.process = start(
            ["taskset", "-c", str(cores[0]), program],
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


def pair(turn, first, second):
    """Processor time for each request of two balancers of their own, each a dictionary of what it is made with.

    Who is started and loaded first changes from turn to turn; where memory happens to lie matters, too.
    """
    sides = [first, second] if turn % 2 == 0 else [second, first]
    balancers = [Measured(LISTEN + index, **side) for index, side in enumerate(sides)]
    at_once(balancers, 1)
    found = at_once(balancers, SECONDS) if turn // 2 % 2 == 0 else at_once(balancers[::-1], SECONDS)[::-1]
    for balancer in balancers:
        balancer.stop()
    for log in glob.glob(os.path.join(FOLDER, "cost-*.log")):
        os.truncate(log, 0)
    return found if turn % 2 == 0 else found[::-1]


def build(kind, layout, *flags):
    """Builds the program with its functions and data in an order drawn by lot, and returns a copy's path.

    Where they happen to lie changes a request's time by as much as counting it does: only several orders tell the one from the other.
    """
    folder = os.path.join(ROOT, f".build-cost-{kind}")
    command = ["swift", "build", "-c", "release", "--product", "curl-lb", "--scratch-path", folder]
    command += ["-Xswiftc", "-Xfrontend", "-Xswiftc", "-function-sections", *flags]
    command += ["-Xswiftc", "-use-ld=lld", "-Xlinker", f"--shuffle-sections=*={layout}"]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.stdout)
    return shutil.copy(os.path.join(folder, "release", "curl-lb"), os.path.join(FOLDER, f"curl-lb-{kind}-{layout}"))


def trial_counting_cost():
    """metrics and an access log in JSON cost at most 3 % beside a build that counts nothing and logs nothing"""
    layouts = range(1, LAYOUTS + 1)
    uncounted = [build("uncounted", layout, "-Xswiftc", "-DUNCOUNTED") for layout in layouts]
    counted = [build("counted", layout) for layout in layouts]
    fast_origins()
    off = {"LB_ACCESS_LOG": "off"}
    kinds = {
        "metrics": off,
        "metrics and a JSON log": {
            "LB_ACCESS_LOG": os.path.join(FOLDER, "cost-json.log"),
            "LB_ACCESS_LOG_FORMAT": "json",
        },
    }
    ratios = {kind: [] for kind in kinds}
    times = []
    for without, program in zip(uncounted, counted):
        for kind, values in kinds.items():
            found = []
            for turn in range(ROUNDS):
                less, more = pair(turn, {"program": without, **off}, {"program": program, **values})
                found.append(more / less)
                times.append(less)
            ratios[kind].append(statistics.median(found))
    print(f"  without: {statistics.median(times):.2f} µs for a request ({min(times):.2f} to {max(times):.2f})")
    for kind, values in ratios.items():
        print(f"  {kind}: ratio {statistics.mean(values):.4f}, by layout {', '.join(f'{value:.4f}' for value in values)}")
    return statistics.mean(ratios["metrics and a JSON log"]) <= LIMIT


def trial_telemetry_cost():
    """an access log in JSON costs at most 3 % of a request's processor time; text, trace and spans are measured beside it"""
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
            off, on = pair(turn, kinds["off"], kinds[kind])
            found["off"].append(off)
            found[kind].append(on)
            values.append(on / off)
    collector.terminate()
    print(f"  off: {statistics.median(found['off']):.2f} µs for a request ({min(found['off']):.2f} to {max(found['off']):.2f})")
    for kind, values in ratios.items():
        print(
            f"  {kind}: {statistics.median(found[kind]):.2f} µs for a request, ratio {statistics.median(values):.3f} "
            f"({min(values):.3f} to {max(values):.3f})"
        )
    return statistics.median(ratios["json"]) <= LIMIT
