"""The dashboard's link to the balancer: lost and mended, and the token that it may want."""
from page_checks import row


async def comes_back(browser, admin, checks):
    """A lost link is told, and mended."""
    port = admin.port
    await admin.stop()
    await browser.until("!document.querySelector('#lost').hidden")
    checks.true("link", (await browser.text("#lost-text")).endswith("What is shown is old."))
    checks.same("lamp", await browser.value("document.querySelector('#link').dataset.state"), "lost")
    await browser.until("/^Next try in \\d+ s\\.$/.test(document.querySelector('#lost-wait').textContent)")
    await browser.until("document.querySelector('#lost-text').textContent.startsWith('The balancer cannot be reached.')")
    # What is asked for meanwhile is told to have failed.
    await browser.click(f"{row('b2')} [data-state=drain]")
    await browser.until("document.querySelector('#notices li')")
    checks.same("unheard", await browser.text("#notices li span"), "b2 was not changed. The balancer cannot be reached.")
    await browser.click("#notices button")
    await admin.listen(port)
    await browser.click("#retry")
    await browser.until("document.querySelector('#lost').hidden && document.querySelector('#link').dataset.state === 'live'")
    browser.forgive("ERR_CONNECTION", "ERR_EMPTY", "ERR_INCOMPLETE")


async def asks_for_token(browser, admin, checks):
    """Without a token it asks, with a wrong one it asks again, and it keeps the right one for the tab."""
    admin.token = "open sesame"
    await browser.open(f"http://127.0.0.1:{admin.port}/")
    await browser.until("!document.querySelector('#token-form').hidden")
    checks.same("why", await browser.text("#token-why"), "The balancer asks for its token (LB_ADMIN_TOKEN).")
    await browser.type("#token", "wrong")
    await browser.press("Enter")
    await browser.until("document.querySelector('#token-why').textContent === 'The balancer refuses this token.'")
    await browser.until("!document.querySelector('#token-form').hidden")
    await browser.type("#token", "open sesame")
    await browser.press("Enter")
    await browser.until("document.querySelector('#link').dataset.state === 'live'")
    checks.true("no question left", await browser.value("document.querySelector('#token-form').hidden"))
    await browser.until(f"document.querySelector('{row('b2')} .measured')?.textContent === 'up'")
    await browser.click(f"{row('b2')} [data-state=drain]")
    await browser.until(f"document.querySelector('{row('b2')} .said').textContent === 'drain'")
    checks.same("token of changes", admin.changes[-1][2].get("authorization"), "Bearer open sesame")
    await browser.open(f"http://127.0.0.1:{admin.port}/")
    await browser.until("document.querySelector('#link').dataset.state === 'live'")
    checks.same("kept where", await browser.value("[sessionStorage.length, localStorage.length, document.cookie].join()"), "1,0,")
    admin.token = None
    browser.forgive("401")
