"""The picture: CPU time per request, a panel for each workload, a bar for each program, as SVG without any library."""
from xml.sax.saxutils import escape

COLOURS = {
    "curl-lb": "#d9480f",
    "curl-lb, 2 workers": "#f08c00",
    "haproxy": "#1864ab",
    "nginx": "#2b8a3e",
    "envoy": "#862e9c",
    "caddy": "#0b7285",
    "relay": "#868e96",
}
WIDTH, COLUMNS, MARGIN = 960, 2, 24
BAR, GAP, TITLE = 16, 6, 34
LABEL, FIGURE = 116, 60


def text(x, y, words, size=12, anchor="start", colour="#212529", weight="normal"):
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" '
        f'font-weight="{weight}">{escape(words)}</text>'
    )


def panel(results, workload, left, top, width):
    """One workload: bars to the same scale, a thin line from the least to the greatest round."""
    bars = [(name, sorted(results.values(workload.name, name, "cpu"))) for name in results.runs.get(workload.name, {})]
    most = max((values[-1] for _, values in bars if values), default=1)
    room = width - LABEL - FIGURE
    parts = [text(left, top + 14, workload.name, 14, weight="bold")]
    y = top + TITLE - 8
    for name, values in bars:
        parts.append(text(left + LABEL - 8, y + 12, name, anchor="end"))
        if values:
            middle = results.median(workload.name, name, "cpu")
            scale = room / most
            x = left + LABEL
            parts.append(
                f'<rect x="{x}" y="{y}" width="{middle * scale:.1f}" height="{BAR}" fill="{COLOURS.get(name, "#495057")}"/>'
            )
            parts.append(
                f'<line x1="{x + values[0] * scale:.1f}" x2="{x + values[-1] * scale:.1f}" y1="{y + BAR / 2}" '
                f'y2="{y + BAR / 2}" stroke="#212529" stroke-width="1"/>'
            )
            digits = 0 if middle >= 100 else 1
            parts.append(text(x + values[-1] * scale + 6, y + 12, f"{middle:,.{digits}f}"))
        else:
            parts.append(text(left + LABEL, y + 12, "failed", colour="#c92a2a"))
        y += BAR + GAP
    return parts, TITLE + len(bars) * (BAR + GAP) + 12


def svg(results, chosen):
    """The whole picture, two panels a row."""
    column = (WIDTH - MARGIN * (COLUMNS + 1)) // COLUMNS
    parts = [text(MARGIN, 34, "CPU time per request, µs (less is better; the thin line spans the rounds)", 16, weight="bold")]
    top = 56
    for row in range(0, len(chosen), COLUMNS):
        height = 0
        for place, workload in enumerate(chosen[row : row + COLUMNS]):
            drawn, used = panel(results, workload, MARGIN + place * (column + MARGIN), top, column)
            parts += drawn
            height = max(height, used)
        top += height
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}" '
        f'font-family="system-ui, sans-serif">\n<rect width="100%" height="100%" fill="#ffffff"/>\n{body}\n</svg>\n'
    )
