"""Something is stopped in the middle of load: an origin is killed, the balancer is told to end."""
import asyncio
import collections
import re
import signal
import time

from harness import FOLDER, LISTEN, PORTS, balancer, exchange, recording_origin, wait_for


async def load(make_request, seconds, connections=32, stop=None):
    """Closed-loop load, until an event if there is one; returns a counter of outcomes and the ids of what failed."""
    outcomes, failed = collections.Counter(), []
    end = time.monotonic() + seconds

    async def client(number):
        count, reader, writer = 0, None, None
        while time.monotonic() < end and not (stop and stop.is_set()):
            identifier = f"{number}.{count}"
            count += 1
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
                status, fields, body = await exchange(reader, writer, make_request(identifier))
                outcomes[status] += 1
                if status != 200:
                    failed.append((identifier, status, body.decode()))
                if fields.get("connection") == "close":
                    writer.close()
                    writer = None
            except (OSError, asyncio.IncompleteReadError) as error:
                outcomes[type(error).__name__] += 1
                failed.append((identifier, 0, repr(error)))
                if writer:
                    writer.close()
                writer = None
        if writer:
            writer.close()

    await asyncio.gather(*(client(number) for number in range(connections)))
    return outcomes, failed


async def kill_and_restart(children, rounds=5, delay=0):
    """Kills one origin after the other with SIGKILL and starts it again."""
    for round_number in range(rounds):
        port = PORTS[round_number % len(PORTS)]
        await asyncio.sleep(1)
        children[port].kill()
        children[port].wait()
        await asyncio.sleep(1)
        children[port] = recording_origin(port, delay)
        await asyncio.to_thread(wait_for, port)


async def failover(make_request, delay):
    children = {port: recording_origin(port, delay) for port in PORTS}
    for port in PORTS:
        wait_for(port)
    balancer(LB_ACCESS_LOG="off")
    killer = asyncio.create_task(kill_and_restart(children, delay=delay))
    outcomes, failed = await load(make_request, 14)
    await killer
    return outcomes, failed


def trial_failover_get():
    """An origin is killed and started again five times under GET load: no client sees an error."""
    outcomes, failed = asyncio.run(
        failover(lambda identifier: f"GET /{identifier} HTTP/1.1\r\nHost: t\r\n\r\n".encode(), 2)
    )
    print(f"  outcomes {dict(outcomes)}")
    return not failed and outcomes[200] > 1000


def trial_failover_post():
    """The same under POST load: none arrives twice, each failed one has a 502 with a reason."""
    outcomes, failed = asyncio.run(
        failover(
            lambda identifier: (
                f"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: {len(identifier)}\r\n\r\n{identifier}".encode()
            ),
            2,
        )
    )
    arrived = collections.Counter()
    for port in PORTS:
        with open(f"{FOLDER}/{port}.record") as record:
            arrived.update(line.split()[1] for line in record if line.startswith("POST"))
    twice = [identifier for identifier, count in arrived.items() if count > 1]
    reasons = collections.Counter(re.search(r"Reason: (\S+)", body).group(1) for _, status, body in failed if status == 502)
    print(f"  outcomes {dict(outcomes)}; arrived {len(arrived)}, twice {len(twice)}; reasons {dict(reasons)}")
    unexplained = len(failed) - sum(reasons.values())
    return not twice and unexplained == 0 and outcomes[200] > 1000


def trial_drain():
    """SIGTERM under load: no request that was accepted is cut; the process ends with 0."""
    for port in PORTS:
        recording_origin(port, 20)
    for port in PORTS:
        wait_for(port)
    cut, answered, refused = 0, 0, 0

    async def run():
        process = balancer(LB_ACCESS_LOG="off")

        async def client():
            nonlocal cut, answered, refused
            writer = None
            while True:
                try:
                    if writer is None:
                        reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
                except OSError:
                    refused += 1
                    return
                try:
                    status, fields, _ = await exchange(reader, writer, b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
                    answered += status == 200
                    cut += status != 200
                    if fields.get("connection") == "close":
                        writer.close()
                        writer = None
                except (OSError, asyncio.IncompleteReadError):
                    cut += 1
                    writer = None

        clients = [asyncio.create_task(client()) for _ in range(64)]
        await asyncio.sleep(2)
        process.send_signal(signal.SIGTERM)
        await asyncio.gather(*clients)
        return await asyncio.to_thread(process.wait, 40)

    code = asyncio.run(run())
    print(f"  answered {answered}, cut {cut}, exit status {code}")
    return cut == 0 and code == 0 and answered > 100
