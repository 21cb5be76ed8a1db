#!/usr/bin/env python3
"""Measures curl-lb beside HAProxy, nginx, Envoy and Caddy. scripts/bench installs, builds and starts it; see there."""
import argparse
import json
import os
import shlex
import signal
import sys

import figures
import load
import machine
import measurement
import picture
import processes
import proxies
import report
import workloads


def positive(text):
    """A whole number from 1 on; argparse names this function when it is not."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def parse(arguments):
    """The command line, with what it leaves open filled in."""
    names = [workload.name for workload in workloads.WORKLOADS]
    programs = [proxy.name for proxy in proxies.PROXIES]
    peers = [*programs, proxies.FLOOR.name]
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures curl-lb beside its peers.")
    parser.add_argument("--quick", action="store_true", help="three workloads, three rounds of 2 s: two to three minutes")
    parser.add_argument("--rounds", type=positive, help="how often each is measured (5; quick: 3)")
    parser.add_argument("--seconds", type=positive, help="how long each time (4; quick: 2)")
    parser.add_argument("--workload", action="append", choices=names, metavar="NAME", help=f"one of {', '.join(names)}")
    parser.add_argument("--peer", action="append", choices=peers, metavar="NAME", help=f"one of {', '.join(peers)}")
    parser.add_argument("--output", default=proxies.BENCH, help="where benchmarks.md and benchmarks.svg go (.build-bench)")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.seconds = options.seconds or (2 if options.quick else 4)
    options.workload = options.workload or (workloads.QUICK if options.quick else names)
    # curl-lb is always there: the ratios are its own.
    options.peer = {*(options.peer or (programs if options.quick else peers)), "curl-lb"}
    return options


def proxies_for(workload, chosen):
    """Who takes part in a workload, in the order of the runs."""
    if workload.scales:
        return [proxies.PROXIES[0], proxies.TWO_WORKERS]
    floor = [proxies.FLOOR] if workload.floor else []
    return [proxy for proxy in (*proxies.PROXIES, *floor) if proxy.name in chosen]


def half_rate(results, chosen, seconds):
    """Half of what the slowest of the chosen proxies does in the closed loop, from the figures at hand or a probe."""
    workload = next(workload for workload in workloads.WORKLOADS if workload.name == workloads.CAPACITY)
    rates = []
    for proxy in proxies_for(workload, chosen):
        if proxy is proxies.FLOOR:
            continue
        if not results.values(workload.name, proxy.name, "rate"):
            try:
                rates.append(measurement.measure(proxy, workload, seconds, 1)["rate"])
            except load.Failure as failure:
                # Without its capacity the rate is the others' alone; its own runs tell whether it holds.
                print(f"  {proxy.name} has no capacity: {failure}", flush=True)
        else:
            rates.append(results.median(workload.name, proxy.name, "rate"))
    return max(1, int(min(rates, default=2000) / 2))


def main():
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.sched_setaffinity(0, measurement.Cores.divided().others)
    results, rates = figures.Figures(), {}
    chosen = [workload for workload in workloads.WORKLOADS if workload.name in options.workload]
    taking_part = [proxy for proxy in proxies.PROXIES if proxy.name in options.peer]
    facts = machine.describe(taking_part, shlex.join(["scripts/bench", *sys.argv[1:]]))
    os.makedirs(options.output, exist_ok=True)
    for place, workload in enumerate(chosen):
        print(f"{workload.name}: {workload.about}", flush=True)
        if workload.paced:
            rates[workload.name] = half_rate(results, options.peer, options.seconds)
            print(f"  {rates[workload.name]} requests per second", flush=True)
        for number in range(1, options.rounds + 1):
            for proxy in proxies_for(workload, options.peer):
                run(results, workload, proxy, number, options.seconds, rates.get(workload.name, 0))
        # Each time anew: who stops in the middle keeps what there is.
        write(results, chosen[: place + 1], facts, rates, options)
    print(f"bench: {os.path.relpath(options.output)}/benchmarks.md and .svg written, {len(results.failures)} runs failed")
    return 1 if results.failures else 0


def write(results, done, facts, rates, options):
    """The report, its picture, and all the figures."""
    with open(os.path.join(proxies.BENCH, "results.json"), "w") as file:
        json.dump({"facts": facts, "rates": rates, "runs": results.runs, "failures": results.failures}, file, indent=1)
    with open(os.path.join(options.output, "benchmarks.md"), "w") as file:
        file.write(report.markdown(results, done, facts, rates, options))
    with open(os.path.join(options.output, "benchmarks.svg"), "w") as file:
        file.write(picture.svg(results, done))


def run(results, workload, proxy, number, seconds, rate):
    """One run, and one line about it."""
    try:
        found = measurement.measure(proxy, workload, seconds, 1, rate, counts_calls=number == 1)
    except load.Failure as failure:
        results.fail(workload.name, proxy.name, number, str(failure))
        print(f"  {number} {proxy.name:18} FAILED: {failure}", flush=True)
        return
    results.add(workload.name, proxy.name, number, found)
    print(
        f"  {number} {proxy.name:18} {found['cpu']:8.1f} µs/request {found['rate']:9.0f}/s "
        f"p99 {found['p99'] / 1000:7.2f} ms {found['peak MiB']:6.1f} MiB "
        f"own {found['used']:4.0%} foreign {found['foreign']:4.0%}",
        flush=True,
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (RuntimeError, load.Failure) as error:
        sys.exit(f"bench: {error}")
    finally:
        processes.stop_all()
