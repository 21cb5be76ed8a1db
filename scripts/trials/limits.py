"""More clients than the balancer may or can have: the rest is told or closed, and nothing stays broken."""
import asyncio
import collections

from harness import (
    LISTEN, balancer, descriptors, descriptors_return, diagnostics, exchange, memory, origins,
    raise_descriptor_limit, reasons, settled_descriptors,
)

REQUEST = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n"


async def connect():
    try:
        return await asyncio.open_connection("127.0.0.1", LISTEN)
    except OSError:
        return None


async def ask(connection):
    """Sends a request; returns the status, or how the connection ended, and whether another request may follow."""
    try:
        async with asyncio.timeout(20):
            status, fields, _ = await exchange(*connection, REQUEST)
    except TimeoutError:
        return "hangs", False
    except (OSError, asyncio.IncompleteReadError):
        return "closed", False
    return status, fields.get("connection") != "close"


async def flood(process, count, group=200, pause=0.0):
    """Lets clients connect, pause, ask and stay, a group at a time; those that are served ask again; then all leave.

    Returns the outcomes of both rounds.
    """
    connections, held, first = [], [], collections.Counter()
    for begun in range(0, count, group):
        made = await asyncio.gather(*(connect() for _ in range(min(group, count - begun))))
        first["not connected"] += made.count(None)
        made = [connection for connection in made if connection]
        connections += made
        await asyncio.sleep(pause)
        for connection, (outcome, stays) in zip(made, await asyncio.gather(*map(ask, made))):
            first[outcome] += 1
            if stays:
                held.append(connection)
    first = +first
    if process.poll() is not None:
        print(f"  {count} clients: {dict(first)}; curl-lb has ended with {process.returncode}")
        return first, collections.Counter()
    most = descriptors(process)
    second = collections.Counter(outcome for outcome, _ in await asyncio.gather(*map(ask, held)))
    print(
        f"  {count} clients: {dict(first)}; those held ask again: {dict(second)}; "
        f"{most} descriptors, {memory(process):.1f} MiB at most"
    )
    for _, writer in connections:
        writer.close()
    return first, second


async def connection_limit(process, limit):
    baseline = await settled_descriptors(process)
    first, second = await flood(process, 3 * limit)
    logged = reasons().get("connection_limit", 0)
    said = diagnostics(f"LB_MAX_CONNECTIONS={limit} is reached")
    print(f"  {logged} lines reason=connection_limit in the log; standard error: {said or 'nothing'}")
    await descriptors_return(process, baseline, 15)
    after, again = await flood(process, limit)
    left = await descriptors_return(process, baseline, 15)
    print(f"  descriptors {baseline} before, {left} after")
    return (
        first[200] == limit and first[503] > 0 and first[503] == logged and set(first) <= {200, 503, "closed"}
        and second == {200: limit} and after == {200: limit} and again == {200: limit}
        and said != [] and left <= baseline
    )


async def descriptor_limit(process, limit, count, baseline):
    # All are accepted or refused before the first asks: no descriptor is left for what the first answer may need.
    first, second = await flood(process, count, group=count, pause=1.0)
    logged = reasons().get("open_file_limit", 0)
    said = diagnostics("no connection can be accepted")
    print(f"  {logged} lines reason=open_file_limit in the log; standard error: {said or 'nothing'}")
    if process.poll() is not None:
        return False
    few = limit // 4
    await descriptors_return(process, baseline, 15)
    after, again = await flood(process, few)
    left = await descriptors_return(process, baseline, 15)
    print(f"  descriptors {baseline} before, {left} after")
    return (
        first[200] + first[503] > 0 and set(first) <= {200, 503, "closed"}
        and set(second) <= {200, 503} and after == {200: few} and again == {200: few}
        and said != [] and left <= baseline
    )


async def descriptor_limits(start_limited, limit, count):
    """The flood as a new process's first traffic, and after others: what is opened when first needed must be had in both."""
    process = start_limited()
    baseline = await settled_descriptors(process)
    passed = await descriptor_limit(process, limit, count, baseline)
    process.kill()
    process.wait()
    print("  the same as the first traffic after the start")
    return await descriptor_limit(start_limited(), limit, count, baseline) and passed


def trial_limits(limit=1000, files=256, clients=400):
    """3,000 clients where 1,000 may be, 400 where descriptors end: the rest is told, afterwards all are served."""
    raise_descriptor_limit(4 * limit)
    origins()
    process = balancer(LB_MAX_CONNECTIONS=str(limit))
    print(f"  LB_MAX_CONNECTIONS={limit}")
    passed = asyncio.run(connection_limit(process, limit))
    process.kill()
    process.wait()
    print(f"  {files} open files allowed (prlimit --nofile), LB_MAX_CONNECTIONS={limit}")

    def start_limited():
        return balancer("prlimit", f"--nofile={files}:{files}", LB_MAX_CONNECTIONS=str(limit))

    return asyncio.run(descriptor_limits(start_limited, files, clients)) and passed
