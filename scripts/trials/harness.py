"""What all trials share: starting and stopping processes, exchanging requests, looking at the balancer from outside."""
import os
import re
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
LISTEN = 5100
processes = []


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


def balancer(**environment):
    log = open(os.path.join(FOLDER, "access.log"), "w")
    variables = {
        "LB_LISTEN": f"127.0.0.1:{LISTEN}",
        "LB_BACKENDS": " ".join(f"http://127.0.0.1:{port};name=b{port}" for port in PORTS),
        **environment,
    }
    process = start(
        [os.path.join(BIN, "curl-lb")],
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
