"""Backends behind a name: its addresses change while requests are served, and the resolver stops."""
import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time

from failover import load
from harness import FOLDER, Missing, balancer, diagnostics, start

RESOLVER = "127.0.0.153"
ADDRESSES = ("127.0.0.11", "127.0.0.12", "127.0.0.13")
PORT = 5104
CLIENTS = 16
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


class Origin:
    """Answers on one address; counts requests and the connections that bring any, and knows when the last request came."""

    def __init__(self, address):
        self.address, self.connections, self.open, self.requests, self.last = address, 0, 0, 0, 0.0

    async def serve(self, reader, writer):
        is_used = False
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                # A health check only connects.
                if not is_used:
                    is_used = True
                    self.connections += 1
                    self.open += 1
                self.requests += 1
                self.last = time.monotonic()
                await asyncio.sleep(0.002)
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open -= is_used
            writer.close()

    async def listen(self):
        await asyncio.start_server(self.serve, self.address, PORT, backlog=512)


def write_hosts(*addresses):
    with open(f"{FOLDER}/hosts.new", "w") as hosts:
        hosts.writelines(f"{address} app.test\n" for address in addresses)
    os.rename(f"{FOLDER}/hosts.new", f"{FOLDER}/hosts")


def resolver():
    """dnsmasq on the loopback, which answers from our file alone."""
    program = shutil.which("dnsmasq", path=f"{os.environ['PATH']}:/usr/sbin")
    if not program:
        raise Missing("dnsmasq is not installed: apt-get install dnsmasq-base")
    process = start(
        [
            program, "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--port=53",
            f"--listen-address={RESOLVER}", "--bind-interfaces", "--no-daemon", f"--addn-hosts={FOLDER}/hosts",
            "--local=/test/", f"--pid-file={FOLDER}/dnsmasq.pid", "--user=root",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as question:
            question.settimeout(0.05)
            question.connect((RESOLVER, 53))
            try:
                question.send(b"\1\2\1\0\0\1\0\0\0\0\0\0\3app\4test\0\0\1\0\1")
                question.recv(512)
                return process
            except OSError:
                time.sleep(0.05)
    raise Missing("dnsmasq does not answer")


async def until(what, condition, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            print(f"  in vain waited for: {what}")
            return False
        await asyncio.sleep(0.02)
    return True


async def change(dns, origins):
    """What happens to the name under load; returns whether all of it was followed."""
    a, b, c = origins
    followed = True

    async def expect(what, condition):
        nonlocal followed
        began = time.monotonic()
        followed &= await until(what, condition)
        print(f"  {what}: after {time.monotonic() - began:.1f} s")

    def told(*addresses):
        write_hosts(*addresses)
        dns.send_signal(signal.SIGHUP)

    def is_left(origin):
        return origin.open == 0 and time.monotonic() - origin.last > 0.5

    await asyncio.sleep(1)
    told(a.address, b.address, c.address)
    await expect("a third address gets requests", lambda: c.requests > 20)
    told(b.address, c.address)
    await expect("the first one is left, with all connections closed", lambda: is_left(a))
    dns.send_signal(signal.SIGSTOP)
    await asyncio.sleep(8)
    dns.send_signal(signal.SIGCONT)
    dns.kill()
    dns.wait()
    before = [origin.requests for origin in (b, c)]
    await expect("a line about the resolver", lambda: diagnostics("app.test is not resolved"))
    await asyncio.sleep(2)
    stayed = [origin.requests for origin in (b, c)]
    followed &= all(now > then + 20 for now, then in zip(stayed, before)) and is_left(a)
    # No more than there were requests at a time, and each of them is still there.
    kept = all(origin.open == origin.connections <= CLIENTS for origin in (b, c))
    followed &= kept
    print(f"  without a resolver: requests at the two that stay {before} -> {stayed}, connections kept: {kept}")
    write_hosts(a.address, b.address)
    resolver()
    await expect("with it again, the first one gets requests", lambda: time.monotonic() - a.last < 0.5)
    await expect("and the third one is left", lambda: is_left(c))
    return followed


def trial_names():
    """Addresses of a name come and go under load, and its resolver stops: all is followed, no request fails."""
    if os.geteuid() != 0:
        raise Missing("this trial needs root: a resolver on port 53, and an /etc/resolv.conf of its own for curl-lb")
    write_hosts(*ADDRESSES[:2])
    with open(f"{FOLDER}/resolv.conf", "w") as configuration:
        configuration.write(f"nameserver {RESOLVER}\noptions timeout:1 attempts:2\n")

    async def run():
        origins = [Origin(address) for address in ADDRESSES]
        for origin in origins:
            await origin.listen()
        dns = await asyncio.to_thread(resolver)
        mount = f"mount --bind {FOLDER}/resolv.conf /etc/resolv.conf && exec \"$0\""
        # The origins answer in this very thread: the balancer is waited for in another one.
        await asyncio.to_thread(
            balancer, "unshare", "--mount", "sh", "-c", mount,
            LB_BACKENDS=f"dns://app.test:{PORT}", LB_DNS_INTERVAL="1s", LB_ACCESS_LOG="off", LB_UPSTREAM_IDLE="60s",
            LB_RETRIES="0", LB_WORKERS="1",
        )
        stop = asyncio.Event()
        requests = asyncio.create_task(load_until(stop))
        followed = await change(dns, origins)
        stop.set()
        outcomes, failed = await requests
        print(f"  outcomes {dict(outcomes)}; resolver's lines {len(diagnostics('app.test is not resolved'))}")
        return followed and not failed and outcomes[200] > 1000

    return asyncio.run(run())


async def load_until(stop):
    """Load in pieces of a second until it is told to stop."""
    outcomes, failed = None, []
    while not stop.is_set():
        some, bad = await load(lambda _: b"GET / HTTP/1.1\r\nHost: t\r\n\r\n", 1, connections=CLIENTS)
        outcomes = some if outcomes is None else outcomes + some
        failed += bad
    return outcomes, failed
