"""
What it costs to count (`realtime/stats.py`, and the sampler of the event loop's lag): a project as it is
generated, and one without the lines that count.

Fan-out as above, and the echo of a `ping`: 32 sockets, each with one frame under way at a time. Rates are as
high as the machine lets them be, and vary more than what is measured; the server's own processor time for
each delivery or echo does less.
"""

import asyncio
import contextlib
import dataclasses
import re
import shutil
from collections import Counter

from . import fanout
from .common import cpu_seconds
from .inbound import echo
from .project import NO_LIMITS
from .report import Bar, median, ratio, table

TITLES = {"counted": "as generated", "uncounted": "without counting"}
COUNTING = re.compile(
    r"^( +)(stats\.[\w.]+(\[.+\])? \+= .+|stats\.\w+\.observe\(.+\)|self\.(outbox\.)?sent \+= 1"
    r"|self\.received \+= 1|self\.lag = LagSampler\(\))$",
    re.MULTILINE,
)
LEAST = 20  # lines that count
SOCKETS = 32  # of the echo
TURNS = 10  # of each project in a round


def without_counting(project):
    """A copy of the project in which the lines that count do nothing."""
    path = project.path.with_name(f"{project.path.name}_uncounted")
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(project.path, path, ignore=shutil.ignore_patterns(".venv"))
    lines = 0
    for module in path.glob("realtime/*.py"):
        text, found = COUNTING.subn(r"\1pass", module.read_text())
        module.write_text(text)
        lines += found
    if lines < LEAST:
        raise RuntimeError(f"only {lines} lines that count were found in {path}")
    return dataclasses.replace(project, path=path)


@contextlib.contextmanager
def serving(project, redis_url, sockets):
    """A server, the load generator connected to it, and its port."""
    with (
        fanout.serving("hub", project, redis_url, **NO_LIMITS) as (server, port, load_with),
        load_with(sockets) as load,
    ):
        load.run(events=3)
        yield server, load, port


def measure(projects, redis_url, sockets, seconds):
    """The figures of all projects in one round; they take turns, since the machine is not always the same."""
    totals = {name: Counter() for name in projects}
    with contextlib.ExitStack() as stack:
        servers = {
            name: stack.enter_context(serving(project, redis_url, sockets))
            for name, project in projects.items()
        }
        for turn in range(TURNS):
            for name in servers if turn % 2 == 0 else reversed(servers):
                server, load, port = servers[name]
                cpu = cpu_seconds(server)
                delivered = load.run(seconds / TURNS, events=3, window=4)
                cpu = cpu_seconds(server) - cpu
                echoes, echo_cpu, _ = asyncio.run(
                    echo(server, projects[name], port, SOCKETS, seconds / TURNS)
                )
                totals[name].update(
                    deliveries=delivered["deliveries"],
                    delivering=delivered["deliveries"] / delivered["deliveries_per_second"],
                    delivery_cpu=cpu,
                    echoes=echoes,
                    echo_cpu=echo_cpu,
                    lost=delivered["lost"] + delivered["repeated"],
                )
    return {name: figures(total, seconds) for name, total in totals.items()}


def figures(total, seconds):
    return {
        "deliveries_per_second": total["deliveries"] / total["delivering"],
        "delivery_us": total["delivery_cpu"] / total["deliveries"] * 1e6,
        "echoes_per_second": total["echoes"] / seconds,
        "echo_us": total["echo_cpu"] / total["echoes"] * 1e6,
        "lost": total["lost"],
    }


def run(project, redis_url, options):
    projects = {"counted": project, "uncounted": without_counting(project)}
    rounds = []
    for number in range(options.rounds):
        rounds.append(measure(projects, redis_url, options.sockets, options.seconds))
        print(f"round {number + 1} of {options.rounds}: counting: {rounds[-1]}", flush=True)
    return rounds


def bars(rounds):
    delivery, echo = (ratio(rounds, "counted", "uncounted", key) for key in ("delivery_us", "echo_us"))
    return [
        Bar("processor time of a delivery, as a multiple of that without counting", delivery, most=1.05),
        Bar("... of an echo", echo, most=1.05),
    ]


COLUMNS = {
    "deliveries_per_second": ("deliveries/s", ",.0f"),
    "delivery_us": ("CPU each, µs", ".2f"),
    "echoes_per_second": ("echoes/s", ",.0f"),
    "echo_us": ("CPU each, µs", ".1f"),
}


def section(rounds):
    rows = [
        [title, *(format(median(rounds, name, key), spec) for key, (_, spec) in COLUMNS.items())]
        for name, title in TITLES.items()
    ]
    return table(["", *(title for title, _ in COLUMNS.values())], rows)
