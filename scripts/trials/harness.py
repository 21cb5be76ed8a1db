"""What all trials share: starting and stopping processes, exchanging requests, looking at the balancer from outside."""
import asyncio
import collections
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("CURL_LB_BIN", os.path.join(ROOT, ".build", "release"))
TRIALS = os.path.dirname(os.path.abspath(__file__))
FOLDER = tempfile.mkdtemp(prefix="curl-lb-trial-")
PORTS = (5101, 5102, 5103)
LISTEN = int(os.environ.get("TRIAL_PORT", "5100"))
# Seconds; LB_UPSTREAM_IDLE is left at its default.
UPSTREAM_IDLE = 4
processes = []


class Missing(Exception):
    """A tool that a trial needs is not installed; the text says how to get it."""


def start(arguments, **options):
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, **options)
    processes.append(process)
    return process


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nobody listens on port {port}")


def balancer(*wrapper, **environment):
    """Starts curl-lb before the three origins' ports; the wrapper is a command that becomes it, such as prlimit."""
    log = open(os.path.join(FOLDER, "access.log"), "w")
    variables = {
        "LB_LISTEN": f"127.0.0.1:{LISTEN}",
        "LB_BACKENDS": " ".join(f"http://127.0.0.1:{port};name=b{port}" for port in PORTS),
        **environment,
    }
    process = start(
        [*wrapper, os.path.join(BIN, "curl-lb")],
        env={**os.environ, **variables},
        stdout=log,
        stderr=open(os.path.join(FOLDER, "diagnostics.log"), "w"),
    )
    wait_for(LISTEN)
    return process


def origins():
    for index, port in enumerate(PORTS):
        start(
            [os.path.join(BIN, "origin"), "--port", str(port), "--name", f"b{index + 1}", "--timeout", "600"],
            stdout=subprocess.DEVNULL,
        )
    for port in PORTS:
        wait_for(port)


def recording_origin(port, delay=0):
    return start(
        [sys.executable, os.path.join(TRIALS, "recording_origin.py"), str(port), f"{FOLDER}/{port}.record", str(delay)],
        stderr=subprocess.DEVNULL,
    )


def stop_all():
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
    processes.clear()


def log_lines():
    """The access log so far."""
    with open(os.path.join(FOLDER, "access.log")) as log:
        return log.read().splitlines()


def reasons():
    """How often each reason stands in the access log."""
    found = (re.search(r" reason=(\S+)", line) for line in log_lines())
    return dict(collections.Counter(match.group(1) for match in found if match))


def diagnostics(word):
    """The lines on standard error that contain a word."""
    with open(os.path.join(FOLDER, "diagnostics.log")) as lines:
        return [line.strip() for line in lines if word in line]


def raise_descriptor_limit(needed):
    """Lets this process and those it starts open as many files as the system allows."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Missing(f"{needed} open files are needed, {hard} are allowed: raise the hard limit (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def descriptors(process):
    """How many files the process has open."""
    return len(os.listdir(f"/proc/{process.pid}/fd"))


async def settled_descriptors(process):
    """How many files the process has open at rest, after its first requests: some are opened once, when first needed."""
    for _ in range(12):
        reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
        await exchange(reader, writer, b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        writer.close()
    await asyncio.sleep(UPSTREAM_IDLE + 1)
    return descriptors(process)


async def descriptors_return(process, baseline, seconds):
    """Waits until the process has no more files open than before; returns how many it has."""
    end = time.monotonic() + seconds
    while descriptors(process) > baseline and time.monotonic() < end:
        await asyncio.sleep(0.1)
    return descriptors(process)


def processor_seconds(process):
    """The processor time that the process has used."""
    with open(f"/proc/{process.pid}/stat") as fields:
        user, system = fields.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def memory(process, key="VmHWM"):
    """Resident memory in MiB: VmRSS now, VmHWM at its highest."""
    with open(f"/proc/{process.pid}/status") as status:
        return int(re.search(rf"{key}:\s+(\d+)", status.read()).group(1)) / 1024


async def exchange(reader, writer, request):
    """Sends a request and reads its response whole; returns status, fields and body."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status = int(head.split(" ", 2)[1])
    fields = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
    }
    body = await reader.readexactly(int(fields.get("content-length", 0)))
    return status, fields, body
