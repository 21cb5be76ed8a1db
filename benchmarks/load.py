"""The clients: wrk as a closed loop, our own generator for a constant rate. Both print one line of figures, "load: …"."""
import dataclasses
import os
import re

import processes
import proxies


class Failure(Exception):
    """A run that does not count, with the reason."""


@dataclasses.dataclass(frozen=True)
class Load:
    """What the clients saw; latencies in microseconds."""

    requests: int
    seconds: float
    p50: int
    p99: int
    p999: int


def command(workload, seconds, rate, threads):
    """The generator's command line."""
    if workload.paced:
        return [f"{proxies.BENCH}/bin/rate", str(proxies.PORT), str(workload.connections), str(rate), str(seconds)]
    arguments = ["wrk", f"-t{min(threads, workload.connections)}", f"-c{workload.connections}", f"-d{seconds}s"]
    arguments += ["--timeout", "10s", "-s", os.path.join(proxies.FOLDER, "wrk.lua")]
    if workload.closes:
        arguments += ["-H", "Connection: close"]
    return [*arguments, f"http://127.0.0.1:{proxies.PORT}{workload.path}"]


def run(workload, seconds, rate, cores, around=()):
    """Runs the generator on its cores, under the command `around` if there is one; raises unless every answer was right."""
    environment = {"BENCH_UPLOAD": str(workload.upload)} if workload.upload else {}
    arguments = [*around, *command(workload, seconds, rate, max(1, len(cores) // 2))]
    status, said = processes.run(arguments, cores, seconds + 30, environment)
    line = re.search("^load: (.*)$", said, re.MULTILINE)
    if status != 0 or not line:
        raise Failure(f"the generator failed with {status}: {said.strip()[-200:]}")
    words = line[1].split()
    figures = dict(zip(words[::2], map(int, words[1::2])))
    errors = {key: figures[key] for key in ("connect", "read", "write", "status", "timeout") if figures[key]}
    if errors or figures["requests"] == 0:
        raise Failure(f"errors of {figures['requests']} requests: {errors or 'none answered'}")
    return Load(figures["requests"], figures["microseconds"] / 1e6, figures["p50"], figures["p99"], figures["p999"])
