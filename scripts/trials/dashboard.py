"""The dashboard in a real browser: what it shows is what was sent, whatever was sent, and it does what it is clicked for."""
import asyncio
import urllib.request

from browser import Browser
from dashboard_steps import STEPS
from harness import balancer, wait_for
from page_checks import Checks
from scripted_admin import ScriptedAdmin, ScriptedBackend, ScriptedBalancer

ADMIN = 5190


def page():
    """The page and its policy as the program serves them."""
    process = balancer(LB_ADMIN=f"127.0.0.1:{ADMIN}", LB_HEALTH="off")
    wait_for(ADMIN)
    with urllib.request.urlopen(f"http://127.0.0.1:{ADMIN}/") as answer:
        text, policy = answer.read().decode(), answer.headers["Content-Security-Policy"]
    process.terminate()
    process.wait()
    return text, policy


async def look_at_it(page, policy):
    checks = Checks()
    world = ScriptedBalancer([ScriptedBackend(f"b{number}", f"http://10.0.0.{number}:80") for number in (1, 2, 3)])
    async with ScriptedAdmin(world, page, policy) as admin, Browser() as browser:
        await browser.look(1360, 900, "light")
        for step in STEPS:
            before = checks.number, len(checks.wrong)
            try:
                await step(browser, admin, checks)
            except (AssertionError, RuntimeError) as problem:
                checks.wrong.append(f"{step.__name__}: {problem}")
            if len(checks.wrong) == before[1]:
                print(f"  {step.__name__.replace('_', ' ')}: {checks.number - before[0]} checks", flush=True)
        checks.same("errors of the page", browser.errors, [])
        checks.same("asked elsewhere", browser.elsewhere(admin.port), [])
    return checks


def trial_dashboard():
    """the dashboard in a browser: what it shows is what was sent, and its clicks do what they say (needs chromium)"""
    return asyncio.run(look_at_it(*page())).report()
