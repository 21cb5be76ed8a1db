"""The proxies that are compared: how each is called, started and asked for its version.

The configuration of each stands in benchmarks/peers, with placeholders: @PORT@, @RUN@ (a folder of the run's own) and
@WORKERS@; a line with @BACKEND_PORT@ is repeated for each backend, a line that begins with @LOG@ or @NOLOG@ is there only
with, or without, an access log.
"""
import dataclasses
import os
import re
import subprocess

import processes

FOLDER = os.path.dirname(os.path.abspath(__file__))
PORT = 18080
# Where what the script installs and builds is.
BENCH = os.path.join(os.path.dirname(FOLDER), ".build-bench")
# Debian keeps servers where only root's PATH looks.
os.environ["PATH"] += ":/usr/sbin:/sbin"


@dataclasses.dataclass(frozen=True)
class Proxy:
    """One of the compared: `command` and `version` are command lines, with {config}, {run} and {envoy} to be filled in."""

    name: str
    template: str | None
    command: tuple
    version: tuple = ()
    environment: tuple = ()
    workers: int = 1

    def render(self, run, backends, log):
        """The configuration's text."""
        lines = []
        with open(os.path.join(FOLDER, "peers", self.template)) as template:
            for line in template:
                marked = re.match("@(NO)?LOG@", line)
                if marked and bool(marked[1]) == log:
                    continue
                line = line[marked.end() :] if marked else line
                line = line.replace("@PORT@", str(PORT)).replace("@RUN@", run).replace("@WORKERS@", str(self.workers))
                if "@BACKEND_PORT@" in line and not line.startswith("#"):
                    lines += [line.replace("@BACKEND_PORT@", str(port)) for port in backends]
                else:
                    lines.append(line)
        return "".join(lines)

    def start(self, run, backends, log, cores):
        """Starts the proxy and waits until it listens."""
        environment = dict(self.environment)
        config = os.path.join(run, self.template or "")
        if self.template:
            text = self.render(run, backends, log)
            with open(config, "w") as file:
                file.write(text)
            if self.template.endswith(".env"):
                environment.update(settings(text))
        command = [part.format(config=config, run=run, bench=BENCH, envoy=envoy(), lb=curl_lb()) for part in self.command]
        if not self.template:
            command += map(str, backends)
        with open(os.path.join(run, "output.log"), "w") as output, open(os.path.join(run, "errors.log"), "w") as errors:
            process = processes.start(command, cores, output, errors, {**environment, "HOME": run})
        processes.wait_for(process, PORT)
        return process

    def log_path(self, run):
        """Where the access log's lines are."""
        return os.path.join(run, "output.log" if self.name == "haproxy" else "access.log")

    def describe(self):
        """The first line of what the program says of its version."""
        command = [part.format(bench=BENCH, envoy=envoy(), lb=curl_lb()) for part in self.version]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        lines = (done.stdout + done.stderr).strip().splitlines()
        return lines[0] if done.returncode == 0 and lines else "unknown"


def settings(text):
    """The variables of an environment file; a name that comes again adds to a list."""
    variables = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            variables[name] = f"{variables[name]},{value}" if name in variables else value
    return variables


def curl_lb():
    """The program that is measured: what the script built, or what CURL_LB_BIN says."""
    return os.path.join(os.environ.get("CURL_LB_BIN", ".build/release"), "curl-lb")


def envoy():
    """Envoy itself, and not the Python script around it, which would be counted, too."""
    library = os.path.join(BENCH, "venv", "lib")
    for python in sorted(os.listdir(library)) if os.path.isdir(library) else ():
        path = os.path.join(library, python, "site-packages", "envoy", "_bin", "envoy")
        if os.path.exists(path):
            return path
    return "envoy"


PROXIES = (
    Proxy("curl-lb", "curl-lb.env", ("{lb}",), ("{lb}", "--version")),
    Proxy("haproxy", "haproxy.cfg", ("haproxy", "-db", "-f", "{config}"), ("haproxy", "-v")),
    Proxy("nginx", "nginx.conf", ("nginx", "-p", "{run}", "-e", "stderr", "-c", "{config}"), ("nginx", "-v")),
    Proxy(
        "envoy",
        "envoy.yaml",
        ("{envoy}", "-c", "{config}", "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"),
        ("{envoy}", "--version"),
    ),
    Proxy(
        "caddy",
        "Caddyfile",
        ("{bench}/venv/bin/caddy", "run", "--config", "{config}", "--adapter", "caddyfile"),
        ("{bench}/venv/bin/caddy", "version"),
        (("GOMAXPROCS", "1"),),
    ),
)
# The floor: moves the bytes and parses nothing.
FLOOR = Proxy("relay", None, ("{bench}/bin/relay", str(PORT)))
# For the workload that compares one worker with two.
TWO_WORKERS = Proxy("curl-lb, 2 workers", "curl-lb.env", ("{lb}",), workers=2)
