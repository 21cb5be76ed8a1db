"""One run: one proxy under one workload, from its start to its end, measured and checked."""
import dataclasses
import os
import shutil
import socket
import tempfile
import time

import idle
import load
import processes
import proxies
import syscalls

FIRST_BACKEND = 20000
# How much of its fair share a backend must at least have got, and of how many requests a backend connection may be new.
LEAST_SHARE = 0.5
MOST_NEW = 0.02


@dataclasses.dataclass(frozen=True)
class Cores:
    """Which cores the proxy has, and which the clients and the backends."""

    proxy: frozenset
    others: frozenset

    @staticmethod
    def divided(workers=1):
        """The first for the proxy, the rest for the others; on two cores a proxy with two shares the second with them."""
        cores = processes.CORES
        if len(cores) < 2:
            raise RuntimeError("the benchmark needs two cores: one for the proxy, one for the rest")
        return Cores(frozenset(cores[:workers]), frozenset(cores[workers:] or cores[1:]))


def measure(proxy, workload, seconds, warmup, rate=0, counts_calls=False):
    """Runs once and returns the figures by name; raises load.Failure if the run does not count."""
    cores = Cores.divided(2 if workload.scales else 1)
    # The relay's own rules: a backend belongs to a client connection.
    checks_share = proxy is not proxies.FLOOR
    backends = [FIRST_BACKEND + number for number in range(workload.backends)]
    processes.require_free([proxies.PORT, *backends, FIRST_BACKEND + workload.backends])
    run = tempfile.mkdtemp(prefix="run-", dir=proxies.BENCH)
    os.chmod(run, 0o755)
    try:
        origin = processes.start(
            [f"{proxies.BENCH}/bin/origin", str(FIRST_BACKEND), str(len(backends)), str(workload.delay)], cores.others
        )
        processes.wait_for(origin, FIRST_BACKEND + len(backends))
        process = proxy.start(run, backends, workload.log, cores.proxy)
        figures = {}
        with idle.IdleConnections() as connections:
            if workload.idle:
                figures["idle connection KiB"] = cost_of_idle(connections, workload.idle, process)
            warm(workload, warmup, rate, cores)
            pids = processes.members(process)
            seen, answered = timed(workload, seconds, rate, cores, pids, figures)
            connections.require_open()
            check(answered, seen, workload, checks_share, figures)
            figures["peak MiB"] = processes.memory_kib(pids, "VmHWM") / 1024
            figures["private MiB"] = processes.memory_kib(pids, "RssAnon") / 1024
            if counts_calls:
                figures["calls"] = syscalls.per_request(process, workload, warmup, rate, cores.others, run)
        if processes.members(process) != pids:
            raise load.Failure("the proxy's processes are not the same at the end as at the beginning")
        processes.stop(process)
        if workload.log:
            check_log(proxy.log_path(run), seen.requests)
        return figures
    except RuntimeError as error:
        raise load.Failure(f"{error}: {last_words(run)}") from error
    finally:
        processes.stop_all()
        shutil.rmtree(run)


def cost_of_idle(connections, count, process):
    """Opens idle connections; returns what each costs in KiB, without what the first tenth of them makes a program set up."""
    connections.open(count // 10)
    pids = processes.members(process)
    before = processes.memory_kib(pids, "RssAnon")
    connections.open(count - count // 10)
    time.sleep(1)
    return (processes.memory_kib(pids, "RssAnon") - before) / (count - count // 10)


def warm(workload, seconds, rate, cores):
    """Load that is not measured, until every backend has had its turn twice; after five times nothing is going to change."""
    for _ in range(5):
        load.run(workload, seconds, rate, cores.others)
        if sum(requests for _, requests in counts(workload)) >= 2 * workload.backends:
            return


def timed(workload, seconds, rate, cores, pids, figures):
    """The measured part: what the clients saw, and what each backend got of it."""
    counted = counts(workload)
    busy, stolen = processes.busy_seconds(cores.proxy)
    others_busy, _ = processes.busy_seconds(cores.others)
    cpu, began = processes.cpu_seconds(pids), time.monotonic()
    seen = load.run(workload, seconds, rate, cores.others)
    cpu, took = processes.cpu_seconds(pids) - cpu, time.monotonic() - began
    busy, stolen = (after - past for after, past in zip(processes.busy_seconds(cores.proxy), (busy, stolen)))
    others_busy = processes.busy_seconds(cores.others)[0] - others_busy
    figures.update(
        {
            "cpu": cpu / seen.requests * 1e6,
            "rate": seen.requests / seen.seconds,
            "p50": seen.p50,
            "p99": seen.p99,
            "p999": seen.p999,
            # Of the proxy's cores: how much it used, how much anybody else did, the hypervisor included.
            "used": cpu / took / len(cores.proxy),
            "foreign": max(0.0, busy + stolen - cpu) / took / len(cores.proxy),
            "others used": others_busy / took / len(cores.others),
        }
    )
    return seen, [(port[0] - past[0], port[1] - past[1]) for port, past in zip(counts(workload), counted)]


def counts(workload):
    """Connections and requests that each backend has got so far."""
    with socket.create_connection(("127.0.0.1", FIRST_BACKEND + workload.backends), 5) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        text = b""
        while piece := client.recv(1 << 16):
            text += piece
    lines = text.partition(b"\r\n\r\n")[2].splitlines()
    return [tuple(map(int, line.split()[1:])) for line in lines]


def check(answered, seen, workload, checks_share, figures):
    """Raises unless the backends had the requests, each its share, over connections that were kept."""
    connections, requests = map(sum, zip(*answered))
    figures["new connections"] = connections / requests if requests else 0
    # wrk stops in the middle: what is then under way has reached a backend and is not counted.
    if not seen.requests <= requests <= seen.requests + 2 * workload.connections:
        raise load.Failure(f"the backends had {requests} requests, the clients {seen.requests} answers")
    if not checks_share:
        return
    least = min(requests for _, requests in answered)
    if least < LEAST_SHARE * requests / workload.backends - 1:
        raise load.Failure(f"a backend had {least} requests of {requests}, with {workload.backends} backends")
    # At any moment the busiest may need one more: each client connection or, with many, each backend once.
    if connections > MOST_NEW * requests + max(workload.connections, workload.backends):
        raise load.Failure(f"{connections} connections to backends for {requests} requests: they are not kept")


def check_log(path, requests):
    """Raises unless there is a line for each request, and the last is JSON as it should be."""
    with open(path, "rb") as log:
        lines = sum(block.count(b"\n") for block in iter(lambda: log.read(1 << 20), b""))
        log.seek(max(0, log.tell() - 4096))
        last = log.read().rstrip().rpartition(b"\n")[2]
    if lines < requests or not (last.startswith(b"{") and last.endswith(b"}")):
        raise load.Failure(f"{lines} lines in the access log for {requests} requests, the last {last[:60]!r}")


def last_words(run):
    """What the proxy said last."""
    words = ""
    for name in ("output.log", "errors.log"):
        if os.path.exists(path := os.path.join(run, name)):
            with open(path, errors="replace") as file:
                words = file.read().strip()[-300:] or words
    return words or "it said nothing"
