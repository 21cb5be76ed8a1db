"""What the figures were taken on and with."""
import platform
import re
import subprocess

import processes


def output_of(*command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return (done.stdout + done.stderr).strip()


def processor():
    """The processor's name and how many of its cores there are to use."""
    with open("/proc/cpuinfo") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return f"{model[1].strip() if model else platform.machine()}, {len(processes.CORES)} cores"


def is_virtual():
    with open("/proc/cpuinfo") as file:
        return " hypervisor" in file.read()


def system():
    """The distribution and the kernel's release, without what a vendor appends."""
    name = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    return f"{name}, Linux {re.match('[0-9.]+', platform.release())[0].rstrip('.')}"


def commit():
    """The commit, and whether anything that is built or measured differs from it."""
    head = output_of("git", "rev-parse", "--short=12", "HEAD")
    changed = output_of("git", "status", "--porcelain", "--", "Package.swift", "Sources", "benchmarks", "scripts/bench")
    return f"{head}{', with changes' if changed else ''}"


def version_in(line):
    """The number in what a program says of its version."""
    found = re.search(r"\d+\.\d+\.\d+[^\s/]*", line)
    return found[0] if found else "unknown"


def describe(chosen, command):
    """Lines of name and value, for the report."""
    return [
        ("Processor", processor() + (", virtual" if is_virtual() else "")),
        ("System", system()),
        ("Commit", commit()),
        ("Command", f"`{command}`"),
        *((proxy.name, version_in(proxy.describe())) for proxy in chosen),
        ("libcurl", version_in(output_of("curl-config", "--version"))),
        ("wrk", version_in(output_of("wrk", "-v"))),
    ]
