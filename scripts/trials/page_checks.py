"""What is looked at in every page: that it fits the window, and that its text can be read."""

SIZES = ((375, 812), (820, 1180), (1360, 900))


def row(name):
    return f"#rows [data-name=\"{name}\"]"


class Checks:
    """What was looked at, and what of it was not as it should be."""

    def __init__(self):
        self.number, self.wrong = 0, []

    def same(self, what, value, expected):
        self.number += 1
        if value != expected:
            self.wrong.append(f"{what}: {value!r} in place of {expected!r}")

    def true(self, what, value):
        self.same(what, bool(value), True)

    def report(self):
        """Prints what was not as it should be; whether all was."""
        for line in self.wrong:
            print(f"  WRONG {line}")
        print(f"  {self.number} checks, {len(self.wrong)} wrong")
        return not self.wrong

    def near(self, what, value, expected, tolerance=0.1):
        self.number += 1
        if abs(value - expected) > tolerance * expected:
            self.wrong.append(f"{what}: {value!r} is not near {expected!r}")


async def fits(browser, checks, what):
    """No scrolling sideways at any size, and enough contrast in both schemes."""
    for scheme in ("light", "dark"):
        for width, height in SIZES:
            await browser.look(width, height, scheme)
            over = await browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            checks.same(f"{what}: sideways at {width} px", over, 0)
            cut = await browser.value(OUTSIDE)
            checks.same(f"{what}: outside at {width} px", cut, [])
            weak = await browser.value(WEAK)
            checks.same(f"{what}: weak contrast at {width} px, {scheme}", weak, [])
    await browser.look(1360, 900, "light")


# Elements that reach beyond the window, or beyond what they stand in.
OUTSIDE = """[...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('.hidden, .row-head-group, svg'))
    .filter(e => { const r = e.getBoundingClientRect(), box = e.closest('.tile, .row, .panel')?.getBoundingClientRect();
        return r.width > 0 && (r.left < -1 || r.right > Math.min(innerWidth, box?.right ?? innerWidth) + 1); })
    .filter(e => !e.closest('.tail, .opener, .place, .why, .request') || e.matches('.tail')).map(e => e.outerHTML.slice(0, 80))"""

# Texts whose contrast with the ground below them is less than 4.5 (WCAG 2.2, 1.4.3).
WEAK = """(() => {
    const parse = text => (text.match(/[\\d.]+/g) ?? []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
        if (c.length === 3 || c[3] > 0.99) return c; } return [255, 255, 255]; };
    const weak = new Set();
    for (const e of document.querySelectorAll('body *')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.checkVisibility()) continue;
        if (e.closest('svg, .hidden, :disabled, [data-standing=removed]')) continue;
        const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
        if ((a + 0.05) / (b + 0.05) < 4.5) weak.add(`${e.className || e.tagName}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
    }
    return [...weak];
})()"""
