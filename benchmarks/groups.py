"""
Events of 200 bytes to many groups on one server process: as many groups as there are sockets, as when each
user is told of their own, and groups of ten, as rooms are. The peers are those of the fan-out, and 64 events,
each to another group, are under way all the time.

With one socket in a group little is shared: an event is published through Redis, comes back, and is put into
a frame for that socket alone. The bare app and Node have no Redis between, and so no second process.

CPU is that of the server's process, all threads of it, for each event and each delivery. In brackets are the
least and the most of all rounds.
"""

import time

from .common import cpu_seconds
from .fanout import EVENT, NODE, TITLES, prepare_node, serving
from .report import Bar, in_rounds, median, none_lost, ratio, table, with_spread

PEERS = ("hub", "bare", "textbook", "ws", "socketio")
SIZES = {"own": 1, "rooms": 10}  # sockets in a group
SIZE_TITLES = {"own": "A group for each socket", "rooms": "Groups of 10 sockets"}
BARS = {"own": 0.75, "rooms": 0.25}  # of the Channels consumer's CPU
WINDOW = 64  # events under way


def measure(name, project, redis_url, sockets, seconds):
    """The figures of one peer in one round."""
    peer, kind = name
    groups = str(sockets // SIZES[kind])
    with (
        serving(peer, project, redis_url) as (server, _, load_with),
        load_with(sockets, "-g", groups) as load,
    ):
        time.sleep(1)
        load.run(events=int(groups), window=WINDOW)  # to each group once
        start = cpu_seconds(server)
        events = load.run(seconds, events=3, window=WINDOW, size=EVENT)
        cpu = cpu_seconds(server) - start
    return {
        "event_us": cpu / events["events"] * 1e6,
        "delivery_us": cpu / events["deliveries"] * 1e6,
        "events_per_second": events["events"] / events["seconds"],
        "p50_ms": events["p50_ms"],
        "p99_ms": events["p99_ms"],
        "generator_cpu": events["cpu"],
        "lost": events["lost"] + events["repeated"],
    }


def run(project, redis_url, options):
    peers = [name for name in PEERS if name not in NODE or prepare_node()]
    return in_rounds(
        [(peer, kind) for kind in SIZES for peer in peers],
        lambda name: measure(name, project, redis_url, options.sockets, options.seconds),
        options.rounds,
    )


def bars(rounds):
    return [
        *(
            Bar(
                f"{title}: CPU of an event, as a multiple of the Channels consumer's",
                ratio(rounds, ("hub", kind), ("textbook", kind), "event_us"),
                most=BARS[kind],
            )
            for kind, title in SIZE_TITLES.items()
        ),
        none_lost(rounds, [("hub", kind) for kind in SIZES]),
    ]


def section(rounds):
    head = ["", "CPU of an event, µs", "of a delivery, µs", "events/s", "p50 ms", "p99 ms", "generator CPU"]
    parts = []
    for kind, title in SIZE_TITLES.items():
        rows = [
            [
                TITLES[peer],
                with_spread(rounds, (peer, which), "event_us", ",.0f"),
                with_spread(rounds, (peer, which), "delivery_us", ",.1f"),
                with_spread(rounds, (peer, which), "events_per_second", ",.0f"),
                f"{median(rounds, (peer, which), 'p50_ms'):.1f}",
                f"{median(rounds, (peer, which), 'p99_ms'):.1f}",
                f"{median(rounds, (peer, which), 'generator_cpu'):.0%}",
            ]
            for peer, which in rounds[0]
            if which == kind
        ]
        parts.append(f"**{title}**\n\n{table(head, rows)}")
    return "\n\n".join(parts)
