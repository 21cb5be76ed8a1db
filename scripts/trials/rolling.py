"""Backends are drained, ended and started again one after the other, by way of the admin API and under load."""
import asyncio
import http.client
import json
import os
import subprocess
import time

from failover import load
from harness import BIN, PORTS, balancer, origins, processes, start, wait_for

ADMIN = 5190
ROUNDS = 3
CONNECTIONS = 64
GET = b"GET / HTTP/1.1\r\nHost: trial\r\n\r\n"


def ask(method, path, body=None, port=ADMIN):
    """Asks the admin API, or an origin; returns the status and the body as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    fields = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, path, json.dumps(body) if body is not None else None, fields)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text else None


def wait_until(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"in vain waited for: {what}")
        time.sleep(0.01)


def requests_at(port):
    """What the origin has counted, this question included."""
    return ask("GET", "/", port=port)[1]["requests"]


def roll(children):
    """Takes each backend out, ends it and takes it back; returns how many requests came where none may come, and the times."""
    strays, drains = 0, []
    for port in PORTS * ROUNDS:
        path = f"/backends/b{port}"
        begun = time.monotonic()
        status, member = ask("PATCH", path, {"state": "drain"})
        assert status == 200 and member["administrative"] == "drain", member
        wait_until("nothing in flight", lambda: ask("GET", path)[1]["in_flight"] == 0)
        drains.append(time.monotonic() - begun)
        before = requests_at(port)
        time.sleep(0.5)
        strays += requests_at(port) - before - 1
        children[port].kill()
        children[port].wait()
        children[port] = start(
            [os.path.join(BIN, "origin"), "--port", str(port), "--name", f"b{port}", "--timeout", "600"],
            stdout=subprocess.DEVNULL,
        )
        wait_for(port)
        status, member = ask("PATCH", path, {"state": "ready"})
        assert status == 200 and member["administrative"] == "ready", member
        wait_until("the backend to be up", lambda: ask("GET", path)[1]["operational"] == "up")
        # It is used again: what is drained next does not leave the others alone.
        after = requests_at(port)
        wait_until("requests at it", lambda: requests_at(port) > after + 10)
    return strays, drains


def trial_rolling():
    """three backends are drained, killed and started again in turn, three times over, under load: no client sees it"""
    origins()
    children = dict(zip(PORTS, processes[-len(PORTS) :]))
    balancer(
        LB_ADMIN=f"127.0.0.1:{ADMIN}",
        LB_ACCESS_LOG="off",
        LB_HEALTH_INTERVAL="200ms",
        LB_SLOW_START="0",
        # Nothing is hidden: a request that meets a backend that has been killed is an error.
        LB_RETRIES="0",
    )
    wait_for(ADMIN)

    async def run():
        stop = asyncio.Event()
        loading = asyncio.create_task(load(lambda _: GET, 120, CONNECTIONS, stop))
        try:
            return await asyncio.to_thread(roll, children), await finished(stop, loading)
        except (AssertionError, TimeoutError) as error:
            print(f"  {error}")
            await finished(stop, loading)
            return None

    async def finished(stop, loading):
        stop.set()
        return await loading

    result = asyncio.run(run())
    if result is None:
        return False
    (strays, drains), (outcomes, failed) = result
    print(
        f"  {len(drains)} backends taken out and back; requests after their drain: {strays}; a drain took"
        f" {1000 * min(drains):.0f} to {1000 * max(drains):.0f} ms; outcomes {dict(outcomes)}"
    )
    return strays == 0 and not failed and set(outcomes) == {200} and outcomes[200] > 1000
