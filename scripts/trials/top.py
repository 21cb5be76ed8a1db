"""`curl-lb top` at a terminal of its own: what stands on the screen, how it ends, and what it leaves behind."""
import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time

from harness import BIN, LISTEN, PORTS, balancer, exchange, origins, processes, start, wait_for

ADMIN = 5191
TOP = os.path.join(BIN, "curl-lb")
HERE = f"http://127.0.0.1:{ADMIN}"
PATIENCE = 15


class Screen:
    """A terminal with a program at it."""

    def __init__(self, *arguments, columns=120, lines=30, **environment):
        self.end, other = pty.openpty()
        self.other = other
        self.resize(columns, lines)
        self.before = termios.tcgetattr(other)
        self.bytes = b""
        self.process = subprocess.Popen(
            [TOP, "top", *arguments], stdin=other, stdout=other, stderr=other, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), env={**os.environ, "TERM": "xterm", **environment},
        )
        processes.append(self.process)
        os.set_blocking(self.end, False)

    def resize(self, columns, lines):
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self):
        try:
            while piece := os.read(self.end, 1 << 16):
                self.bytes += piece
        except (BlockingIOError, OSError):
            pass

    @property
    def frame(self):
        """The lines drawn last, without colours."""
        self.read()
        drawings = self.bytes.split(b"\x1b[H")
        # The last one may not have come whole.
        whole = drawings[-1] if drawings[-1].endswith(b"\x1b[J") else drawings[-2] if len(drawings) > 1 else b""
        text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", whole).decode()
        return [line.rstrip("\r") for line in text.split("\n")]

    def until(self, words):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if any(re.search(words, line) for line in self.frame):
                return True
            time.sleep(0.05)
        print(f"  {words!r} does not come: {self.frame}")
        return False

    def press(self, key):
        os.write(self.end, key)

    def ends(self):
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None

    @property
    def is_restored(self):
        """Whether the terminal is as it was, with its cursor, on its first screen."""
        self.read()
        return termios.tcgetattr(self.other) == self.before and self.bytes.rstrip().endswith(b"\x1b[?25h\x1b[?1049l")


async def traffic(requests):
    reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
    for _ in range(requests):
        await exchange(reader, writer, b"GET / HTTP/1.1\r\nHost: trial\r\n\r\n")
    writer.close()


def once(*arguments, **environment):
    return subprocess.run(
        [TOP, "top", "--once", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env={**os.environ, **environment}, timeout=60,
    )


def trial_top():
    """curl-lb top: on a terminal, resized, ended by q, Ctrl-C and SIGTERM, and --once"""
    results = {}
    origins()
    process = balancer(LB_ADMIN=f"127.0.0.1:{ADMIN}", LB_NAME="edge-1", LB_ACCESS_LOG="off")
    wait_for(ADMIN)

    screen = Screen("--admin", HERE, "--interval", "200ms")
    results["figures"] = screen.until(r"requests/s .*in flight") and screen.until(r"^b5101 +up")
    asyncio.run(traffic(300))
    results["traffic"] = screen.until(r"^[1-9][0-9.]* requests/s")
    results["colour"] = b"\x1b[32mup" in screen.bytes
    screen.resize(44, 8)
    results["narrow"] = screen.until(r"^BACKEND +STATE +REQ/S +FAIL/S +P99$")
    results["narrow"] = results["narrow"] and all(len(line) <= 44 for line in screen.frame)
    screen.press(b"q")
    results["q ends"] = screen.ends() == 0 and screen.is_restored

    for name, end in (("Ctrl-C", lambda s: s.press(b"\x03")), ("SIGTERM", lambda s: s.process.send_signal(signal.SIGTERM))):
        screen = Screen("--admin", HERE, NO_COLOR="1")
        results[f"before {name}"] = screen.until(r"^b5103") and b"\x1b[32m" not in screen.bytes
        end(screen)
        results[f"{name} ends"] = screen.ends() == 0 and screen.is_restored

    load = start(["/bin/sh", "-c", f"while :; do curl -s -o /dev/null http://127.0.0.1:{LISTEN}/; done"])
    run = once("--admin", HERE)
    load.kill()
    results["once"] = run.returncode == 0 and re.search(r"^[1-9][0-9.]* requests/s", run.stdout, re.M) and "\x1b" not in run.stdout
    print("  " + run.stdout.replace("\n", "\n  ").rstrip())

    process.kill()
    process.wait()
    run = once("--admin", HERE)
    results["nobody there"] = run.returncode == 1 and run.stderr.startswith(f"curl-lb top: no answer from {HERE}: ")
    balancer(LB_ADMIN=f"127.0.0.1:{ADMIN}", LB_ADMIN_TOKEN="open-sesame-open-sesame", LB_ACCESS_LOG="off")
    wait_for(ADMIN)
    refused, allowed = once("--admin", HERE), once("--admin", HERE, LB_ADMIN_TOKEN="open-sesame-open-sesame")
    results["token"] = refused.returncode == 1 and "asks for its token" in refused.stderr and allowed.returncode == 0
    piped = subprocess.run([TOP, "top", "--admin", HERE], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    results["no terminal"] = piped.returncode == 1 and "--once" in piped.stderr

    print("  " + ", ".join(f"{name}: {'yes' if passed else 'NO'}" for name, passed in results.items()))
    return all(results.values())
