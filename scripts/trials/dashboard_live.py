"""The dashboard before the real program: three origins, one of them killed; and the pictures of docs/."""
import asyncio
import json
import os
import random
import subprocess
import urllib.request

from browser import Browser
from harness import BIN, LISTEN, PORTS, ROOT, balancer, exchange, start, wait_for
from page_checks import Checks, fits, row

ADMIN = 5192
HERE = f"http://127.0.0.1:{ADMIN}"
SPARE = 5104
TARGETS = (*["/"] * 10, "/bytes/20000", "/bytes/200000", "/slow?ms=12", "/slow?ms=35", "/echo/orders?page=2", "/status/404")


def ask(path):
    with urllib.request.urlopen(HERE + path) as answer:
        return json.load(answer)


def origin(port, name):
    return start([os.path.join(BIN, "origin"), "--port", str(port), "--name", name], stdout=subprocess.DEVNULL)


async def client(pause, targets, flow):
    """Asks for one thing after the other while it may; what fails is the balancer's to tell."""
    choice = random.Random(pause)
    reader = writer = None
    while True:
        await flow.wait()
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
            target = choice.choice(targets)
            _, fields, _ = await exchange(reader, writer, f"GET {target} HTTP/1.1\r\nHost: shop.example\r\n\r\n".encode())
            if fields.get("connection") == "close":
                writer.close()
                writer = None
        except (OSError, asyncio.IncompleteReadError):
            writer = None
        await asyncio.sleep(choice.expovariate(1 / pause))


async def send(*targets):
    """One request each, on a connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
    for target in targets:
        await exchange(reader, writer, f"GET {target} HTTP/1.1\r\nHost: shop.example\r\n\r\n".encode())
    writer.close()


async def spoil(*heads):
    """Requests whose client does not wait for the answer, or whose head is none."""
    for head in heads:
        _, writer = await asyncio.open_connection("127.0.0.1", LISTEN)
        writer.write(head)
        await asyncio.sleep(0.3)
        writer.close()


async def live(pictures):
    checks = Checks()
    names = {port: name for port, name in zip(PORTS, ("web-1", "web-2", "web-3"))}
    children = {port: origin(port, name) for port, name in names.items()}
    spare = origin(SPARE, "spare")
    for port in (*PORTS, SPARE):
        await asyncio.to_thread(wait_for, port)
    backends = [f"http://127.0.0.1:{port};name={name}" for port, name in names.items()]
    process = await asyncio.to_thread(
        balancer, LB_BACKENDS=" ".join([*backends, f"http://127.0.0.1:{SPARE};name=spare;backup=on"]), LB_NAME="edge-1",
        LB_ADMIN=f"127.0.0.1:{ADMIN}", LB_ACCESS_LOG="off", LB_HEALTH_PATH="/", LB_WORKERS="2",
    )
    await asyncio.to_thread(wait_for, ADMIN)
    async with Browser() as browser:
        await browser.look(1360, 1180, "light")
        await browser.open(HERE + "/")
        await browser.until("document.querySelector('#rows .row:nth-child(4)') && document.querySelector('#p50').innerText === '–'")
        # What the page makes of histograms is what the program makes of them, when both see the same requests.
        await browser.choose("#window", "60")
        await send(*TARGETS * 10)
        await browser.until("document.querySelector('#latency-more').textContent.startsWith('of 160 requests')")
        exact = (await asyncio.to_thread(ask, "/stats"))["clients"]["duration"]
        for share in ("p50", "p99"):
            checks.same(share, await browser.text(f"#{share}"), await browser.value(f"{SHOWN}({exact[share]})"))
        await browser.choose("#window", "10")

        flow = asyncio.Event()
        flow.set()
        clients = [asyncio.create_task(client(0.02 + number / 400, TARGETS, flow)) for number in range(12)]
        await browser.until(f"Number(document.querySelector('{row('web-2')} .requests-cell').innerText) > 1")
        # Drained by a click, it gets nothing more.
        await browser.click(f"{row('web-3')} [data-state=drain]")
        await browser.until(f"document.querySelector('{row('web-3')} .said').textContent === 'drain'")
        before = (await asyncio.to_thread(ask, "/backends/web-3"))
        checks.same("drained", before["administrative"], "drain")
        await browser.type(f"{row('web-1')} input", "3")
        await browser.press("Enter")
        await browser.until("[...document.querySelectorAll('#changes li')].some(e => e.innerText.includes('web-1'))")
        checks.same("weight", (await asyncio.to_thread(ask, "/backends/web-1"))["weight"], 3)
        await asyncio.sleep(2)
        after = (await asyncio.to_thread(ask, "/backends/web-3"))
        checks.same("requests after the drain", after["counts"]["attempts"], before["counts"]["attempts"])
        await browser.click(f"{row('web-3')} [data-state=ready]")
        await browser.until(f"document.querySelector('{row('web-3')} .said').hidden")
        await asyncio.sleep(pictures and 60)

        # Killed, it is seen to be down; no request of a client fails, unless its response had begun.
        children[PORTS[1]].kill()
        await browser.until(f"['down', 'ejected'].includes(document.querySelector('{row('web-2')} .measured').textContent)")
        await browser.until(f"document.querySelector('{row('web-2')} .probes .bad')")
        failures = (await asyncio.to_thread(ask, "/stats"))["clients"]["failures"]
        seen = [each for each in failures if each["count"] and each["label"] != "http_response_incomplete"]
        checks.same("failures that clients saw", seen, [])
        # What is the client's fault is told as that.
        await spoil(b"GET /basket HTTP/1.1\r\nContent-Length: 1\r\n\r\n", b"GET /slow?ms=900 HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        await browser.until("document.querySelector('#failures').innerText.includes('client_gone')")
        await asyncio.sleep(pictures and 12)
        await fits(browser, checks, "the real thing")
        if pictures:
            await photograph(browser, pictures)

        # Nothing is left: the page says so, and shows what was asked for as text. Of a flood of failures some are left out.
        flow.clear()
        children[PORTS[0]].kill()
        children[PORTS[2]].kill()
        spare.kill()
        await browser.until("document.querySelector('#panic').textContent.startsWith('No backend is usable')")
        await send("/<img/src=x/onerror=alert(1)>")
        await browser.until("[...document.querySelectorAll('#failures .target')].some(e => e.textContent.includes('<img/src=x'))")
        checks.true("attempts", "connection_refused" in await browser.text("#failures > li"))
        await browser.until("/_unavailable.*[1-9][0-9]* in all/s.test(document.querySelector('#reasons').innerText)")
        children[PORTS[0]] = origin(PORTS[0], "web-1")
        await browser.until("document.querySelector('#panic').hidden")
        await browser.until(f"document.querySelector('{row('web-1')} .measured').textContent === 'up'")
        for task in clients:
            task.cancel()
        checks.same("errors of the page", browser.errors, [])
        checks.same("asked elsewhere", browser.elsewhere(ADMIN), [])
        process.terminate()
        await browser.until("!document.querySelector('#lost').hidden")
        checks.same("the program ends while it is watched", await asyncio.to_thread(process.wait, 40), 0)
    return checks


# The page's own way of writing a duration is in its module's scope: the same rule once more.
SHOWN = "(s => { for (const [f, u] of [[1e6, 'µs'], [1e3, 'ms'], [1, 's']]) if (s * f < 999.5) return (s * f).toPrecision(3) + ' ' + u; })"


async def photograph(browser, folder):
    await browser.value("document.activeElement.blur()")
    for name, width, height, scheme in (
        ("light", 1360, 1180, "light"), ("dark", 1360, 1180, "dark"), ("phone", 375, 1500, "light"),
    ):
        await browser.look(width, height, scheme)
        await browser.value("scrollTo(0, 0)")
        await browser.photograph(os.path.join(folder, f"dashboard-{name}.png"))


def trial_dashboard_live():
    """the dashboard before the real program: traffic, a drain, a backend killed, all killed; TRIAL_PICTURES=1 takes those of docs/"""
    pictures = os.path.join(ROOT, "docs") if os.environ.get("TRIAL_PICTURES") else 0
    return asyncio.run(live(pictures)).report()
