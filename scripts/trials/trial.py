#!/usr/bin/env python3
"""Trials of the built program as its users run it: real processes, real load, something killed in the middle.

usage: trial.py [NAME]…   (all of them without arguments; --help shows their names)

Each trial prints what it measured and PASS or FAIL; the exit status is 1 if any failed. Needs the release build of curl-lb and
origin (swift build -c release) and Python's library; a trial that needs more says what, or gets it. All traffic is on loopback.
"""
import sys

import allocations
import bodies
import changes
import dashboard
import dashboard_live
import down
import drips
import failover
import harness
import health
import hedging
import limits
import names as names_trial
import openapi
import overload
import posts
import rolling
import scraping
import slow_attacks
import telemetry
import top
import traffic
import websocket_sessions

MODULES = (
    allocations, failover, posts, bodies, traffic, websocket_sessions, changes, drips, slow_attacks, limits, overload, hedging,
    names_trial, health, down, rolling, openapi, scraping, dashboard, dashboard_live, top, telemetry,
)
TRIALS = {
    name.removeprefix("trial_").replace("_", "-"): function
    for module in MODULES
    for name, function in vars(module).items()
    if name.startswith("trial_")
}


def main():
    names = sys.argv[1:] or list(TRIALS)
    if "--help" in names:
        print(__doc__)
        for name, function in TRIALS.items():
            print(f"  {name:15} {function.__doc__}")
        return 0
    if unknown := [name for name in names if name not in TRIALS]:
        sys.exit(f"no trial is called {unknown[0]}; there are: {', '.join(TRIALS)}")
    failures = 0
    for name in names:
        print(f"{name}: {TRIALS[name].__doc__}", flush=True)
        try:
            passed = TRIALS[name]()
        except harness.Missing as missing:
            print(f"  {missing}", flush=True)
            passed = False
        finally:
            harness.stop_all()
        failures += not passed
        print(f"  {'PASS' if passed else 'FAIL'}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
