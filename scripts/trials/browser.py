"""A headless Chromium, driven through its DevTools protocol, that keeps account of errors and of whom it talks to."""
import asyncio
import base64
import json
import os
import re
import shutil
import subprocess

import websocket_sessions
from harness import FOLDER, Missing, start

PATIENCE = 30


class Browser:
    """One page of a browser with an empty profile."""

    def __init__(self):
        self.number = 0
        self.answers = {}
        self.errors, self.requests = [], []
        self.session = None
        self.loaded = asyncio.Event()

    async def __aenter__(self):
        program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if not program:
            raise Missing("no browser is installed: apt-get install chromium")
        websocket_sessions.library()
        from websockets.asyncio.client import connect

        log = os.path.join(FOLDER, "browser.log")
        self.process = start(
            [
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                "--disable-component-update", "--no-first-run", "--remote-debugging-port=0", "--force-color-profile=srgb",
                f"--user-data-dir={FOLDER}/profile-{os.urandom(4).hex()}", "about:blank",
            ],
            stdout=subprocess.DEVNULL, stderr=open(log, "w"),
        )
        address = await self.address(log)
        self.connection = await connect(address, max_size=None, compression=None, ping_interval=None)
        self.reader = asyncio.create_task(self.read())
        target = (await self.call("Target.createTarget", url="about:blank"))["targetId"]
        self.session = (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        return self

    async def __aexit__(self, *_):
        self.reader.cancel()
        await self.connection.close()
        self.process.terminate()
        await asyncio.to_thread(self.process.wait)

    async def address(self, log):
        for _ in range(PATIENCE * 10):
            with open(log) as lines:
                if found := re.search(r"DevTools listening on (ws://\S+)", lines.read()):
                    return found.group(1)
            await asyncio.sleep(0.1)
        raise Missing(f"the browser does not start; see {log}")

    # The protocol.

    async def read(self):
        async for text in self.connection:
            message = json.loads(text)
            if "id" in message:
                self.answers.pop(message["id"]).set_result(message)
            else:
                self.note(message["method"], message["params"])

    def note(self, event, facts):
        if event == "Page.loadEventFired":
            self.loaded.set()
        elif event == "Runtime.exceptionThrown":
            details = facts["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif event == "Runtime.consoleAPICalled":
            self.errors.append(f"console.{facts['type']}: {facts['args']}")
        elif event == "Log.entryAdded" and facts["entry"]["level"] in ("warning", "error"):
            self.errors.append(f"{facts['entry']['text']} {facts['entry'].get('url', '')}")
        elif event == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])

    async def call(self, method, **parameters):
        self.number += 1
        answer = self.answers[self.number] = asyncio.get_running_loop().create_future()
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        await self.connection.send(json.dumps(message))
        result = await asyncio.wait_for(answer, PATIENCE)
        if "error" in result:
            raise RuntimeError(f"{method}: {result['error']['message']}")
        return result["result"]

    # What a person does.

    async def open(self, url):
        self.loaded.clear()
        await self.call("Page.navigate", url=url)
        await asyncio.wait_for(self.loaded.wait(), PATIENCE)

    async def value(self, expression):
        """What an expression of JavaScript is in the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails'].get('exception', {}).get('description')}")
        return answer["result"].get("value")

    async def text(self, selector):
        """The text of the first element, as it is seen; None without one."""
        return await self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? null")

    async def until(self, expression):
        """Waits until an expression is true; says what it is when it does not become so."""
        for _ in range(PATIENCE * 20):
            value = await self.value(expression)
            # An element comes as {}.
            if value not in (None, False, "", 0):
                return value
            await asyncio.sleep(0.05)
        raise AssertionError(f"it does not come true: {expression}; it is {value!r}")

    async def click(self, selector):
        place = await self.value(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            await self.call(
                "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1],
                button="none" if kind == "mouseMoved" else "left", clickCount=0 if kind == "mouseMoved" else 1,
            )

    async def press(self, key):
        code = {"Enter": 13, "Escape": 27, "Tab": 9}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    async def type(self, selector, text):
        await self.value(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.focus(); e.select?.(); }})()")
        await self.call("Input.insertText", text=text)

    async def choose(self, selector, value):
        """Gives a field or a list another value at once."""
        await self.value(
            f"(e => {{ e.value = {json.dumps(value)}; for (const kind of ['input', 'change']) e.dispatchEvent(new Event(kind)); }})"
            f"(document.querySelector({json.dumps(selector)}))"
        )

    def forgive(self, *words):
        """Forgets errors that the trial has brought about: the browser reports each refusal and each lost connection."""
        self.errors = [error for error in self.errors if not any(word in error for word in words)]

    def elsewhere(self, port):
        """What was asked of anybody but this port of the loopback."""
        return [url for url in self.requests if not url.startswith((f"http://127.0.0.1:{port}/", "about:", "data:"))]

    async def look(self, width, height, scheme, scale=1):
        """Gives the window another size and colour scheme."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 600
        )
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    async def photograph(self, path):
        picture = await self.call("Page.captureScreenshot", format="png")
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))
