"""Processes that are started, pinned, observed through /proc, and ended again, whatever happens."""
import ctypes
import os
import resource
import signal
import socket
import subprocess
import tempfile
import time

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
TICKS = os.sysconf("SC_CLK_TCK")
# The cores this benchmark may use, asked before it pins itself.
CORES = sorted(os.sched_getaffinity(0))

running = []


def start(arguments, cores, output=subprocess.DEVNULL, errors=None, environment=None):
    """Starts a process on the given cores, in a session of its own, so that its children can be found and ended with it."""

    def settle():
        os.sched_setaffinity(0, cores)
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    process = subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
        preexec_fn=settle,
    )
    running.append(process)
    return process


def is_over(process):
    """Whether a process has ended; it stays a zombie, so that nobody else gets its id."""
    return bool(os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG))


def wait_until_over(process, patience):
    end = time.monotonic() + patience
    while not is_over(process) and time.monotonic() < end:
        time.sleep(0.01)


def stop(process, patience=3):
    """Ends a process and its children: asks, waits, kills. Only when its group is dead is it taken from the table."""
    os.kill(process.pid, signal.SIGTERM)
    wait_until_over(process, patience)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    running.remove(process)


def stop_all():
    for process in reversed(running[:]):
        stop(process)


def run(arguments, cores, patience, environment=None):
    """Starts a process and waits for its end, or ends it; returns its exit status and all it said."""
    with tempfile.TemporaryFile() as output:
        process = start(arguments, cores, output, output, environment)
        wait_until_over(process, patience)
        stop(process)
        output.seek(0)
        return process.returncode, output.read().decode(errors="replace")


def wait_for(process, port, patience=10):
    """Waits until somebody listens on the port."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if is_over(process):
            raise RuntimeError(f"{process.args[0]} ended before it listened on port {port}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{process.args[0]} does not listen on port {port}")


def require_free(ports):
    """Raises unless every one of the ports can be listened on."""
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()
            except OSError as error:
                raise RuntimeError(f"port {port} is taken: {error}") from error


def fields_of(pid):
    """What stands in /proc/PID/stat after the name: state, parent, group, session, …"""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(") ")[2].split()


def members(process):
    """The ids of a process and its children: all of its session."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if int(fields_of(name)[3]) == process.pid:
                    found.append(int(name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def cpu_seconds(pids):
    """User and system time of the processes, and of their children that have ended."""
    return sum(sum(map(int, fields_of(pid)[11:15])) for pid in pids) / TICKS


def memory_kib(pids, *keys):
    """The sum of the named figures of /proc/PID/status: VmHWM, RssAnon, …"""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status") as status:
            total += sum(int(line.split()[1]) for line in status if line.partition(":")[0] in keys)
    return total


def busy_seconds(cores):
    """How long the cores have been busy, with whatever, and how long the hypervisor kept them from it."""
    busy = stolen = 0
    with open("/proc/stat") as stat:
        for line in stat:
            name, *ticks = line.split()
            if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores:
                user, nice, system, _idle, _wait, interrupts, soft_interrupts, steal = map(int, ticks[:8])
                busy += user + nice + system + interrupts + soft_interrupts
                stolen += steal
    return busy / TICKS, stolen / TICKS
