"""A run of chaos: rounds of faults, what is true after each, and what is said of it."""

import asyncio
import datetime
import math
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.report import machine, table
from chaos_faults import FAULTS
from chaos_verdict import judge

WARM_UP = 4  # seconds of use before what is measured
CALM = 1.5  # seconds of use before each fault
SETTLES_WITHIN = 75  # seconds after the last fault of a round; presence may take 60 to miss who died
LEAVERS = 10  # clients that are away for good when a round ends
# At most. A pool grows when more is done at once than before, but not beyond a connection for each client.
GROWTH = {"RSS MiB": 50, "file descriptors": 20, "pooled connections": 100, "threads": 20, "tasks": 10}
SHOWN = 20  # of what is wrong after a round, while it runs
PAGE = Path(__file__).parent.parent / "docs/soak.md"
TEXT = """\
# Soak

Written on {date} by `make soak MINUTES={minutes:g}`, with seed {seed}: {variant}.
{machine}.

Two processes of a generated project, a Valkey and a PostgreSQL serve {clients} sockets of {users} users, in
rooms and with notifications. They chat, post forms, and are notified by a third process; a tenth of them is
away at any time and comes back as `static/realtime.js` does. One after the other everything fails, in another
order each round; when all is quiet, what is stored is held against what each client was sent.

{result}

Received is what clients took in: each frame of each message and notification. Lost is what a client that was
there at the end never got; repeated, what it had already; reordered, what came after a newer one.

{faults}

{growth}

{wrong}
"""


@dataclass
class Run:
    """What happened to a site."""

    seed: int
    rounds: int = 0
    seconds: float = 0
    faults: dict = field(default_factory=lambda: defaultdict(list))  # name -> seconds until all were served
    figures: dict = field(default_factory=dict)
    growth: dict = field(default_factory=dict)  # name -> (before, after)
    wrong: list = field(default_factory=list)

    def tables(self):
        """Return the tables of the result, of the faults, and of what the surviving process holds."""
        faults = [[name, len(times), f"{max(times):.1f}"] for name, times in self.faults.items()]
        growth = [[name, f"{before:.0f}", f"{after:.0f}"] for name, (before, after) in self.growth.items()]
        return (
            table(["", *self.figures], [["in all", *(f"{value:,}" for value in self.figures.values())]]),
            table(["fault", "times", "all served again after s, at most"], faults),
            table(["process that lived through it, without sockets", "before", "after"], growth),
        )


async def suffer(site, seed, minutes=0, say=print):
    """Put a site through rounds of faults until the minutes are over, at least one; return the `Run`."""
    run, start = Run(seed), time.monotonic()
    await site.admit()
    assert await site.until(site.all_connected, within=60) < math.inf, "not everyone could connect"
    async with site.in_use():
        await asyncio.sleep(WARM_UP)
    before = await site.figures()
    while True:
        await site.admit()
        await one_round(site, run, say)
        run.rounds += 1
        run.seconds = time.monotonic() - start
        if run.seconds > 60 * minutes:
            break
    after = await site.figures(before["tasks"] + GROWTH["tasks"])
    run.growth = {name: (before[name], after[name]) for name in GROWTH}
    run.wrong += [
        f"{name} grew from {before[name]:.0f} to {after[name]:.0f}; most tasks are {after['names']}"
        for name, bound in GROWTH.items()
        if after[name] > before[name] + bound
    ]
    return run


async def one_round(site, run, say):
    faults = list(FAULTS.items())
    if run.rounds:
        site.rng.shuffle(faults)
    async with site.in_use():
        for name, fault in faults:
            await asyncio.sleep(CALM)
            await fault(site)
            seconds = await site.served_again()
            say(f"round {run.rounds + 1}: {name}: all served again after {seconds:.1f} s", flush=True)
            if seconds == math.inf:
                names = ", ".join(map(str, site.unserved()))
                run.wrong.append(f"round {run.rounds + 1}: {name}: not served again: {names}")
            run.faults[name].append(seconds)
    verdict = await settled(site)
    run.figures = {
        "rounds": run.rounds + 1,
        "clients": len(site.clients),
        **verdict.figures,
        "longest outage s": round(max(client.outage for client in site.clients), 1),
        "longest wait s": round(max(client.wait for client in site.clients), 1),
    }
    run.wrong += [f"round {run.rounds + 1}: {text}" for text in verdict.wrong]
    survivor = {name: round(value) for name, value in site.held(site.nodes[0]).items()}
    say(f"round {run.rounds + 1}: {run.figures | survivor}", *verdict.wrong[:SHOWN], sep="\n    ", flush=True)


async def settled(site):
    """Let some leave for good; wait until all is as it should be, or for as long as is allowed."""
    for client in site.rng.sample(site.expected(), LEAVERS):
        await client.leave(politely=site.rng.random() < 0.5)
    await site.hang_up()
    await site.shell.must("sent")
    stored = await site.shell.must("stored")
    verdict = judge(site, stored)
    deadline = time.monotonic() + SETTLES_WITHIN
    while verdict.unsettled and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        verdict = judge(site, stored)
    return verdict


def write_page(run, site, minutes):
    """Write docs/soak.md."""
    result, faults, growth = run.tables()
    answers = site.project.variant
    PAGE.write_text(
        TEXT.format(
            date=datetime.date.today(), minutes=minutes, seed=run.seed, machine=machine(),
            variant=", ".join(answers[key] for key in ("server", "channel_layer", "auth", "database")),
            clients=len(site.clients), users=len(site.users), result=result, faults=faults, growth=growth,
            wrong="\n".join(f"- {text}" for text in run.wrong) or "Nothing was wrong.",
        ),
        encoding="utf-8",
    )  # fmt: skip
