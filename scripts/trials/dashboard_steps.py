"""What a person does with the dashboard and sees there, before a scripted admin API."""
import random
import re

from dashboard_link import asks_for_token, comes_back
from page_checks import fits, row
from scripted_admin import ScriptedBackend

HOSTILE = "<img src=x onerror=\"window.hurt=1\"><script>window.hurt=1</script>&lt;b\u202egnp.js"


def seconds(text):
    """A duration as the page writes it."""
    value, unit = text.split()
    return float(value) * {"µs": 1e-6, "ms": 1e-3, "s": 1}[unit]


def failure(number, **facts):
    return {
        "time": 1790000000.0 + number, "client": "198.51.100.7:40122", "method": "GET", "target": f"/{number}", "status": 502,
        "reason": "connection_refused", "backend": None, "id": f"{number:032x}",
        "attempts": [
            {"backend": "b2", "reason": "connection_refused", "text": "Failed to connect", "milliseconds": 0.157},
        ],
        **facts,
    }


def change(number, **facts):
    return {"time": 1790000000.0 + number, "kind": "health", "backend": "b3", "text": f"change {number}", **facts}


async def shows_figures(browser, admin, checks):
    """Rates, shares and percentiles of what was counted between two messages."""
    world, b1, b2 = admin.balancer, admin.balancer.backends["b1"], admin.balancer.backends["b2"]
    # Whatever was before is not counted again.
    world.answer(5.0, 1_000_000)
    b1.serve(5.0, 1_000_000)
    await browser.open(f"http://127.0.0.1:{admin.port}/")
    await browser.until("document.querySelector('#link-text').textContent === 'Live'")
    await browser.until("document.querySelector('#name').textContent === 'edge-1'")
    checks.true("facts", "round_robin" in await browser.text("#facts"))
    checks.same("no figures from one message", await browser.text("#requests"), "–")

    times = sorted(random.Random(7).lognormvariate(-5, 1.2) for _ in range(4000))
    for took in times:
        world.answer(took)
    for took in times[:2000]:
        b1.serve(took, dns=took / 8, wait=took / 2, body=took * 3 / 8)
    world.answer(0.02, 40, "5xx", "connection_refused")
    world.answer(0.02, 10, "4xx")
    b2.fail("connection_refused", 30)
    b2.facts["in_flight"], b2.facts["maximum_in_flight"] = 7, 50
    world.in_flight, world.waiting = 12, 3
    world.processor += 1.5
    world.busy += 2.0
    world.passes(10)
    admin.send_stats()
    await browser.until("document.querySelector('#requests').textContent !== '–'")
    checks.same("requests/s", await browser.text("#requests"), "405")
    checks.same("share of errors", await browser.text("#errors"), "0.99")
    checks.true("errors/s", (await browser.text("#errors-more")).startswith("4.00 /s"))
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        # The 50 others took 20 ms.
        exact = sorted([*times, *[0.02] * 50])[int(4050 * share)]
        checks.near(name, seconds(await browser.text(f"#{name}")), exact)
    checks.same("in flight", await browser.text("#in-flight"), "12")
    checks.same("waiting", await browser.text("#in-flight-more"), "3 waiting, 40 connections")
    process = await browser.text("#process")
    checks.true(f"process: {process}", re.search(r"15\.0 %.*10\.0 % of 2.*31\.0 MiB", process, re.S))
    checks.same("requests of b1", await browser.text(f"{row('b1')} .requests-cell"), "200")
    checks.near("p99 of b1", seconds((await browser.text(f"{row('b1')} .latency-cell")).split(" · ")[1]), times[1979])
    label = await browser.value(f"document.querySelector('{row('b1')} .phases').getAttribute('aria-label')")
    checks.same("phases of b1", re.sub(r" \([^)]*\)", "", label), "dns 12.5 %, wait 50.0 %, body 37.5 %")
    checks.same("failures of b2", await browser.text(f"{row('b2')} .failures-cell"), "3.00")
    checks.same("in flight of b2", await browser.text(f"{row('b2')} .in-flight-cell"), "7 / 50")
    checks.true("reasons", re.search(r"connection_refused\s+4\.00 /s\s+40 in all", await browser.text("#reasons")))
    # An idle second: the figures of one second are none, those of ten go on.
    world.passes(1)
    admin.send_stats()
    await browser.choose("#window", "1")
    await browser.until("document.querySelector('#requests').textContent === '0'")
    checks.same("p50 of nothing", await browser.text("#p50"), "–")
    checks.same("share of nothing", await browser.text("#errors"), "–")
    # A process that begins anew counts from nothing.
    world.uptime = 1.0
    world.answer(0.001, 8)
    admin.send_stats()
    await browser.until("document.querySelector('#requests').textContent === '–'")
    world.passes(2)
    world.answer(0.001, 8)
    admin.send_stats()
    await browser.until("document.querySelector('#requests').textContent === '4.00'")


async def shows_states(browser, admin, checks):
    """Each state in words and shapes, probes, ejections, panic."""
    backends = admin.balancer.backends
    b2, b3 = backends["b2"].facts, backends["b3"].facts
    b2["operational"] = "down"
    for probe in b2["health"]["probes"][-4:]:
        probe.update(is_good=False, text="Failed to connect to 10.0.0.2 port 80", milliseconds=None)
    b3["operational"] = "ejected"
    b3["health"].update(
        ejections=2, ejection={"reason": "5 attempts in a row failed", "age": 4.0, "ends_in": 16.0},
        latest_change={"age": 4.0, "text": "b3 is ejected: 5 attempts in a row failed"},
    )
    admin.balancer.passes(1)
    admin.send_stats()
    await browser.until(f"document.querySelector('{row('b3')} .measured').textContent === 'ejected'")
    for name, state in (("b1", "up"), ("b2", "down"), ("b3", "ejected")):
        checks.same(f"state of {name}", await browser.text(f"{row(name)} .measured"), state)
        shape = await browser.value(f"document.querySelector('{row(name)} .state-line use').getAttribute('href')")
        checks.same(f"shape of {name}", shape, f"#shape-{state}")
    checks.same("why b3", await browser.text(f"{row('b3')} .why"), "5 attempts in a row failed")
    checks.same("until when", await browser.text(f"{row('b3')} .measured + span"), "16 s left")
    checks.true("why b2", (await browser.text(f"{row('b2')} .why")).startswith("Failed to connect"))
    marks = f"[...document.querySelectorAll('{row('b2')} .probes path')].map(p => p.getAttribute('class')).join(' ')"
    checks.same("marks of b2", await browser.value(marks), " ".join(["good"] * 16 + ["bad"] * 4))
    title = await browser.value(f"document.querySelector('{row('b2')} .probes g:last-child title').textContent")
    checks.same("the last mark of b2", title, "1 s ago: failed, Failed to connect to 10.0.0.2 port 80")
    chips = "[...document.querySelectorAll('.chip:not([hidden])')].map(e => e.textContent).join()"
    checks.same("chips", await browser.value(chips), "all3,down1,ejected1,up1")
    checks.true("title of the window", (await browser.value("document.title")).startswith("(2) edge-1"))
    # The row opens by keyboard.
    await browser.value(f"document.querySelector('{row('b3')} .opener').focus()")
    await browser.press("Enter")
    details = await browser.until(f"(e => !e.hidden && e.innerText)(document.querySelector('{row('b3')} .details'))")
    checks.true(f"details of b3: {details}", "4 s ago: b3 is ejected" in details and "Ejections\n2" in details)
    await browser.press("Enter")
    checks.true("details close", await browser.value(f"document.querySelector('{row('b3')} .details').hidden"))

    # What a backend asks for itself holds as the operator's word does.
    backends["b1"].facts["requested"] = "drain"
    admin.balancer.passes(1)
    admin.send_stats()
    await browser.until(f"document.querySelector('{row('b1')} .said').textContent === 'asks for drain'")
    checks.same("state of b1, which asks", await browser.text(f"{row('b1')} .measured"), "up")
    shape = await browser.value(f"document.querySelector('{row('b1')} .state-line use').getAttribute('href')")
    checks.same("shape of b1, which asks", shape, "#shape-drain")
    checks.same(
        "nothing takes requests", await browser.text("#panic"), "No backend takes requests: clients are answered with 503."
    )
    backends["b1"].facts["requested"] = "ready"
    admin.balancer.passes(1)
    admin.send_stats()
    await browser.until("document.querySelector('#panic').hidden")

    checks.true("no panic", await browser.value("document.querySelector('#panic').hidden"))
    backends["b1"].facts["operational"] = "down"
    admin.balancer.is_panic = True
    admin.balancer.passes(1)
    admin.send_stats()
    await browser.until("!document.querySelector('#panic').hidden")
    checks.true("panic", (await browser.text("#panic")).startswith("No backend is usable."))
    checks.same("panic is read out", await browser.value("document.querySelector('#panic').getAttribute('role')"), "alert")
    admin.balancer.is_panic = False
    backends["b1"].facts["operational"] = "up"
    admin.balancer.passes(1)
    admin.send_stats()
    await browser.until("document.querySelector('#panic').hidden")


async def changes_backends(browser, admin, checks):
    """Clicks become requests; the last usable backend is asked about; a refusal is told."""
    b2 = admin.balancer.backends["b2"].facts
    b2["operational"] = "up"
    admin.balancer.passes(1)
    admin.send_stats()
    await browser.until(f"document.querySelector('{row('b2')} .measured').textContent === 'up'")
    await browser.click(f"{row('b2')} [data-state=drain]")
    await browser.until(f"document.querySelector('{row('b2')} [data-state=drain]').getAttribute('aria-pressed') === 'true'")
    name, asked, fields = admin.changes[-1]
    checks.same("drain", (name, asked), ("b2", {"state": "drain"}))
    checks.same("its type", fields.get("content-type"), "application/json")
    checks.same("its origin", fields.get("origin"), f"http://127.0.0.1:{admin.port}")
    checks.same("state shown", await browser.text(f"{row('b2')} .said"), "drain")
    await browser.type(f"{row('b1')} input", "5")
    await browser.press("Enter")
    await browser.until(f"document.querySelector('{row('b1')} input').value === '5'")
    checks.same("weight", admin.changes[-1][:2], ("b1", {"weight": 5}))

    # b1 is the last one now.
    before = len(admin.changes)
    await browser.click(f"{row('b1')} [data-state=maintenance]")
    await browser.until("document.querySelector('#confirm').open")
    checks.same("question", await browser.text("#confirm-title"), "Put b1 into maintenance?")
    await browser.press("Escape")
    await browser.until("!document.querySelector('#confirm').open")
    checks.same("nothing without consent", len(admin.changes), before)
    await browser.click(f"{row('b1')} [data-state=drain]")
    await browser.until("document.querySelector('#confirm').open")
    await browser.click("#confirm-yes")
    await browser.until(f"document.querySelector('{row('b1')} .said').textContent === 'drain'")
    checks.same("drain with consent", admin.changes[-1][:2], ("b1", {"state": "drain"}))
    await browser.until("!document.querySelector('#panic').hidden")
    checks.same("nothing usable", await browser.text("#panic"), "No backend takes requests: clients are answered with 503.")

    admin.refusal = "another operator was faster"
    await browser.click(f"{row('b1')} [data-state=ready]")
    await browser.until("document.querySelector('#notices li')")
    checks.same("refusal", await browser.text("#notices li span"), "b1 was not changed. Conflict: another operator was faster")
    checks.same("nothing changed", await browser.text(f"{row('b1')} .said"), "drain")
    admin.refusal = None
    await browser.click("#notices button")
    checks.same("dismissed", await browser.value("document.querySelectorAll('#notices li').length"), 0)
    for name in ("b1", "b2"):
        await browser.click(f"{row(name)} [data-state=ready]")
        await browser.until(f"document.querySelector('{row(name)} .said').hidden")
    browser.forgive("409")


async def shows_text_as_text(browser, admin, checks):
    """Hostile names, targets and texts run nothing and reach nobody."""
    admin.balancer.backends[HOSTILE] = ScriptedBackend(HOSTILE, HOSTILE, source=HOSTILE)
    admin.balancer.backends[HOSTILE].facts["health"].update(
        check=HOSTILE, ejection={"reason": HOSTILE, "age": 1, "ends_in": -1}, latest_change={"age": 1, "text": HOSTILE},
    )
    admin.balancer.backends[HOSTILE].facts["health"]["probes"][-1].update(text=HOSTILE, is_good=False)
    admin.balancer.failures[HOSTILE] = 3
    admin.balancer.name = HOSTILE
    admin.balancer.passes(1)
    admin.send_stats()
    attempt = {"backend": HOSTILE, "reason": HOSTILE, "text": HOSTILE, "milliseconds": 1}
    admin.send("failure", failure(
        1, client=HOSTILE, method=HOSTILE, target="/" + HOSTILE, reason=HOSTILE, backend=HOSTILE, id=HOSTILE, attempts=[attempt]
    ))
    admin.send("change", change(1, kind=HOSTILE, backend=HOSTILE, text=HOSTILE))
    await browser.until("document.querySelector('#failures li') && document.querySelector('#changes li')")
    await browser.until("document.querySelectorAll('#rows .row').length === 4")
    await browser.click("#rows .row:last-child .opener")
    shown = HOSTILE.replace("\u202e", "\\u{202E}")
    checks.same("target as text", await browser.text("#failures .target"), "/" + shown)
    checks.same("backend as text", await browser.value("document.querySelector('#rows .row:last-child .name').textContent"), shown)
    checks.same("nothing became markup", await browser.value("document.querySelectorAll('main img, main script').length"), 0)
    checks.same("nothing ran", await browser.value("window.hurt ?? 0"), 0)
    await browser.value("new Promise(done => setTimeout(done, 200))")
    checks.same("what is hostile is drained, too", await drained(browser, admin), HOSTILE)
    await fits(browser, checks, "hostile text")
    del admin.balancer.backends[HOSTILE], admin.balancer.failures[HOSTILE]
    admin.balancer.name = "edge-1"
    admin.balancer.passes(1)
    admin.send_stats()
    await browser.until("document.querySelectorAll('#rows .row').length === 3")


async def drained(browser, admin):
    before = len(admin.changes)
    await browser.click("#rows .row:last-child [data-state=drain]")
    await browser.until("document.querySelector('#rows .row:last-child [data-state=drain]').getAttribute('aria-pressed') === 'true'")
    return admin.changes[before][0]


async def keeps_tails(browser, admin, checks):
    """The newest first, not too many, none twice, held and filtered."""
    for number in range(2, 152):
        admin.send("failure", failure(number, status=None if number == 151 else 502))
    await browser.until("document.querySelector('#failures .target').textContent === '/151'")
    checks.same("length", await browser.value("document.querySelectorAll('#failures > li').length"), 100)
    checks.same("no answer", await browser.text("#failures .status"), "no answer")
    attempt = await browser.text("#failures .attempts li")
    checks.same("attempt", attempt, "b2 connection_refused 157 µs Failed to connect")
    admin.send("failure", failure(150))
    await browser.click("#hold")
    admin.send("failure", failure(152))
    admin.send("change", change(2, backend="b3", text="is up again"))
    await browser.until("document.querySelector('#changes li').innerText.includes('is up again')")
    checks.same("held", await browser.text("#failures .target"), "/151")
    await browser.click("#hold")
    await browser.until("document.querySelector('#failures .target').textContent === '/152'")
    same = "[...document.querySelectorAll('#failures .target')].filter(e => e.textContent === '/150').length"
    checks.same("known ones do not come again", await browser.value(same), 1)
    await browser.type("#failure-filter", "/152")
    await browser.until("document.querySelectorAll('#failures > li').length === 1")
    await browser.type("#failure-filter", "nowhere")
    await browser.until("!document.querySelector('#no-failures').hidden")
    checks.same("none matches", await browser.text("#no-failures"), "None of them matches.")
    await browser.choose("#failure-filter", "")


async def holds_many(browser, admin, checks):
    """200 backends: filtered, sorted, and only what is seen is worked on."""
    many = [ScriptedBackend(f"app-{number}", f"http://10.0.1.{number}:8080") for number in range(200)]
    for number in (17, 140):
        many[number].facts["operational"] = "down"
    kept, admin.balancer.backends = admin.balancer.backends, {backend.facts["name"]: backend for backend in many}
    await browser.open(f"http://127.0.0.1:{admin.port}/")
    await browser.until("document.querySelectorAll('#rows .row').length === 200")
    await browser.value("""
        window.touched = new Set();
        new MutationObserver(list => { for (const { target } of list) {
            const row = (target.closest ? target : target.parentElement)?.closest('#rows .row');
            if (row) touched.add(row.dataset.name);
        } }).observe(document.querySelector('#rows'), { subtree: true, attributes: true, childList: true, characterData: true });
    """)
    for number, backend in enumerate(many):
        backend.serve(0.001 * (number + 1), 10 * (number + 1))
    admin.balancer.passes(1)
    admin.send_stats()
    await browser.until("document.querySelector('#rows .row .requests-cell').innerText === '10.0'")
    touched = await browser.value("touched.size")
    checks.true(f"rows worked on: {touched}", 0 < touched < 40)
    first = "document.querySelector('#rows .row:not([hidden]) .name').textContent"
    for key, expected in (("requests", "app-199"), ("state", "app-17"), ("name", "app-0"), ("list", "app-0")):
        await browser.choose("#sort", key)
        checks.same(f"first by {key}", await browser.value(first), expected)
    await browser.click(".chip[data-standing=down]")
    shown = "[...document.querySelectorAll('#rows .row:not([hidden]) .name')].map(e => e.textContent).join()"
    checks.same("those that are down", await browser.value(shown), "app-17,app-140")
    await browser.click(".chip[data-standing=all]")
    await browser.type("#filter", "app-19")
    await browser.until("document.querySelectorAll('#rows .row:not([hidden])').length === 11")
    await browser.until("document.querySelector('[data-name=\"app-199\"] .requests-cell').innerText === '2,000'")
    await fits(browser, checks, "many backends")
    admin.balancer.backends = kept


STEPS = (
    shows_figures, shows_states, changes_backends, shows_text_as_text, keeps_tails, comes_back, asks_for_token, holds_many,
)
