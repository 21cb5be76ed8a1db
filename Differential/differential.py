#!/usr/bin/env python3
"""Compares the product's parsers with others, message by message; `scripts/differential` prepares and starts it."""
import argparse
import concurrent.futures
import os
import secrets
import struct
import subprocess
import sys
import time

from comparison import AllowedList, Tally, Verdict
from messages import Maker

FOLDER = os.path.dirname(os.path.abspath(__file__))
BATCH = 10_000
#: So many messages show every disagreement that is listed.
FULL_RUN = 1_000_000
#: How many kinds of unlisted disagreement are printed, and how much of each.
SHOWN, PRINTED = 8, 1000


def arguments():
    parser = argparse.ArgumentParser("scripts/differential", description="Compares our parsers with other parsers.")
    parser.add_argument("--messages", type=int, default=20_000, metavar="N", help="how many messages, 20000 by default")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), metavar="S", help="random by default")
    parser.add_argument("--peer", choices=("llhttp", "h11", "all"), default="all", help="whom to ask, all by default")
    parser.add_argument("--message", type=int, metavar="I", help="show message I of the seed and all verdicts on it")
    parser.add_argument("--ours", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--h11-python", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--node", help=argparse.SUPPRESS)
    return parser.parse_args()


def commands(options):
    """The command of each parser, ours first."""
    result = {"ours": [options.ours]}
    if options.peer in ("llhttp", "all"):
        if options.node:
            result["llhttp"] = [options.node, os.path.join(FOLDER, "peers", "llhttp.js")]
        elif options.peer == "llhttp":
            sys.exit("differential: there is no 'node' in PATH, and llhttp comes with it")
        else:
            print("there is no 'node' in PATH: no comparison with llhttp")
    if options.peer in ("h11", "all"):
        result["h11"] = [options.h11_python, os.path.join(FOLDER, "peers", "h11_verdicts.py")]
    return result


def verdicts(name, command, messages):
    """The verdicts of one parser on a batch."""
    source = b"".join(kind + struct.pack("<I", len(message)) + message for kind, message in messages)
    done = subprocess.run(command, input=source, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"differential: {name} failed with status {done.returncode}")
    frames, position = [], 0
    while position < len(done.stdout):
        end = position + 4 + struct.unpack_from("<I", done.stdout, position)[0]
        frames.append(done.stdout[position + 4:end])
        position = end
    if len(frames) != len(messages):
        sys.exit(f"differential: {name} has {len(frames)} verdicts on {len(messages)} messages")
    return frames


def show(options):
    kind, message = Maker(options.seed).make(options.message)
    print(f"kind {kind.decode()}\n{message!r}")
    for name, command in commands(options).items():
        print(f"{name}: {Verdict(verdicts(name, command, [(kind, message)])[0])}")


def compare(options):
    """Runs all batches: while the parsers are at one, the next is made and the last compared."""
    maker = Maker(options.seed)
    allowed = AllowedList(os.path.join(FOLDER, "allowed.toml"))
    parsers = commands(options)
    tallies = {name: Tally(name, allowed) for name in parsers if name != "ours"}
    with concurrent.futures.ThreadPoolExecutor(len(parsers)) as pool:
        waiting = None
        for start in range(0, options.messages, BATCH):
            numbers = range(start, min(start + BATCH, options.messages))
            batch = [maker.make(number) for number in numbers]
            running = {name: pool.submit(verdicts, name, command, batch) for name, command in parsers.items()}
            if waiting:
                settle(tallies, *waiting)
            waiting = numbers, batch, running
        if waiting:
            settle(tallies, *waiting)
    return tallies, allowed


def settle(tallies, numbers, batch, running):
    frames = {name: future.result() for name, future in running.items()}
    for name, tally in tallies.items():
        for number, (kind, message), ours, theirs in zip(numbers, batch, frames["ours"], frames[name]):
            tally.compare(number, kind, message, ours, theirs)


def report(options, tallies, allowed, seconds):
    """Prints what came out; returns how many disagreements are not listed."""
    for name, tally in tallies.items():
        print(f"{name}:")
        for share, count in tally.counts.items():
            print(f"  {count:9}  {100 * count / max(1, options.messages):5.1f} %  {share}")
    for entry in allowed.entries if options.messages >= FULL_RUN else ():
        for name, count in entry.counts.items():
            if name in tallies and count == 0:
                print(f"listed for {name}, but not seen: {entry}")
    for name, tally in tallies.items():
        for shown, occurrences in enumerate(sorted(tally.surprises.values(), key=len, reverse=True)):
            if shown == SHOWN:
                print(f"… and {len(tally.surprises) - SHOWN} more kinds of disagreement with {name}")
                break
            number, kind, message, ours, theirs = min(occurrences, key=lambda occurrence: len(occurrence[2]))
            print(f"\nnot listed, {len(occurrences)} times; the shortest:\n  {kind.decode()} {message[:PRINTED]!r}")
            print(f"  ours: {str(ours)[:PRINTED]}\n  {name}: {str(theirs)[:PRINTED]}")
            print(f"  scripts/differential --seed {options.seed} --message {number}")
    print(f"{options.messages} messages in {seconds:.0f} s, seed {options.seed}")
    return sum(tally.counts["not listed"] for tally in tallies.values())


def main():
    options = arguments()
    if options.message is not None:
        return show(options)
    print(f"seed {options.seed}", flush=True)
    start = time.monotonic()
    tallies, allowed = compare(options)
    unlisted = report(options, tallies, allowed, time.monotonic() - start)
    if unlisted:
        sys.exit(f"differential: {unlisted} disagreements are not listed in Differential/allowed.toml")


main()
