"""The report in Markdown: on what, how, who against whom, and every workload by itself."""
import statistics

import proxies

METHOD = """\
Each row is a program with a configuration of its own ([benchmarks/peers](../benchmarks/peers)) and one worker, on the
first core; clients and backends are on the others. The runs alternate: each program has its turn in every round, started
anew. Figures are medians over the rounds, with the least and the greatest in brackets.

* **CPU** is user and system time of all the program's processes, divided by the requests answered. It is the figure to
  compare: it hardly depends on how fast clients and backends are.
* **ratio** is curl-lb's CPU per request divided by the program's in the same round; below 1 curl-lb needs less.
* **requests/s** is what a program can do only where it uses its core whole (**core used**); elsewhere the clients were
  the slower ones.
* **p50, p99, p99.9** count from sending a request in the closed loop, and from when it was due at a constant rate.
* **peak** is the greatest resident memory (`VmHWM`), libraries and the program's file included, all processes added up;
  **private** is what it had of its own at the end (`RssAnon`).
* **calls** are system calls per request, counted in a run of their own.
* The **relay** accepts, connects and moves bytes, and parses nothing: what the kernel charges anybody.

A run counts only if every answer was 200, the backends had as many requests as there were answers, each backend at least
half its share, and the connections to them were kept (at most 2 new ones for 100 requests, beside one for each client
connection or backend). The relay is exempt from the last two: it has a backend connection for each client connection.
"""


def number(value, digits=None):
    """A figure with as many digits as it bears."""
    if value is None:
        return "–"
    if digits is None:
        digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def span(values, digits=None):
    """Median (least–greatest)."""
    if not values:
        return "–"
    return f"{number(statistics.median(values), digits)} ({number(min(values), digits)}–{number(max(values), digits)})"


def table(rows):
    """A Markdown table; the first row is its head, the first column text, the others figures."""
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|---|" + "--:|" * (len(rows[0]) - 1), *body]) + "\n"


def markdown(results, chosen, facts, rates, options):
    """The whole report."""
    parts = ["# Benchmarks\n", "Written by `scripts/bench`; the picture is [benchmarks.svg](benchmarks.svg).\n"]
    parts.append("![CPU time per request](benchmarks.svg)\n")
    parts.append("## On what\n")
    parts.append(table([("", ""), *facts, ("Rounds", f"{options.rounds} of {options.seconds} s")]).replace("--:", "---"))
    parts.append(quiet(results))
    parts.append("## How\n\n" + METHOD)
    parts.append("## curl-lb beside the others\n")
    parts.append("CPU per request of curl-lb divided by the other's, median of the rounds; below 1 curl-lb needs less.\n")
    parts.append(summary(results, chosen))
    for workload in chosen:
        rate = f", {rates[workload.name]:,} requests/s" if workload.name in rates else ""
        parts.append(f"## {workload.name}\n\n{workload.about}{rate}.\n")
        parts.append(workers(results, workload) if workload.scales else detail(results, workload))
    if results.failures:
        parts.append("## Runs that do not count\n")
        parts.append(table([("workload", "program", "round", "reason"), *(tuple(map(str, row)) for row in results.failures)]))
    return "\n".join(parts)


def quiet(results):
    """How much of the proxy's core others took: whether the machine was quiet."""
    foreign = [
        figures["foreign"]
        for programs in results.runs.values()
        for rounds in programs.values()
        for figures in rounds.values()
    ]
    if not foreign:
        return ""
    verdict = "quiet" if statistics.median(foreign) < 0.05 else "**not quiet**: trust the ratios, and them little"
    return (
        f"Other programs took {statistics.median(foreign):.0%} of the proxy's core (median of all runs, at most "
        f"{max(foreign):.0%}); the machine was {verdict}.\n"
    )


def others(results, workload):
    """Who took part, curl-lb apart."""
    return [name for name in results.runs.get(workload.name, {}) if name != "curl-lb"]


def summary(results, chosen):
    """Workloads against programs."""
    compared = [workload for workload in chosen if not workload.scales]
    names = [
        proxy.name
        for proxy in (*proxies.PROXIES[1:], proxies.FLOOR)
        if any(proxy.name in others(results, workload) for workload in compared)
    ]
    rows = [("workload", *names)]
    for workload in compared:
        ratios = [results.ratios(workload.name, "curl-lb", name) for name in names]
        rows.append((workload.name, *(number(statistics.median(values), 2) if values else "–" for values in ratios)))
    return table(rows)


def detail(results, workload):
    """All figures of a workload, a program a row."""
    head = ["", "CPU µs/request", "ratio", "requests/s", "core used", "p50 ms", "p99 ms", "p99.9 ms", "peak MiB", "private MiB", "calls"]
    rows = [head + (["KiB per idle connection"] if workload.idle else [])]
    for name in results.runs.get(workload.name, {}):

        def median(figure, scale=1, digits=None, name=name):
            value = results.median(workload.name, name, figure)
            return number(None if value is None else value * scale, digits)

        used = results.median(workload.name, name, "used")
        row = [
            name,
            span(results.values(workload.name, name, "cpu")),
            "1" if name == "curl-lb" else span(results.ratios(workload.name, "curl-lb", name), 2),
            span(results.values(workload.name, name, "rate"), 0),
            "–" if used is None else f"{used:.0%}",
            *(median(figure, 1e-3, 2) for figure in ("p50", "p99", "p999")),
            median("peak MiB"),
            median("private MiB"),
            median("calls", digits=1),
        ]
        rows.append(row + ([median("idle connection KiB")] if workload.idle else []))
    return table(rows)


def workers(results, workload):
    """One worker against two: requests for each second of CPU time, and in all."""
    rows = [("", "CPU µs/request", "requests per CPU second", "requests/s", "cores used")]
    for name in results.runs.get(workload.name, {}):
        cpu = results.values(workload.name, name, "cpu")
        used = results.median(workload.name, name, "used")
        rows.append(
            (
                name,
                span(cpu),
                span([1e6 / value for value in cpu], 0),
                span(results.values(workload.name, name, "rate"), 0),
                "–" if used is None else f"{2 * used:.2f}",
            )
        )
    ratio = span(results.ratios(workload.name, "curl-lb", proxies.TWO_WORKERS.name), 2)
    return table(rows) + f"\nRequests per CPU second, two workers over one: {ratio}.\n"
