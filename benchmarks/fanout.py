"""
One event of 200 bytes to all sockets of one server process, with Redis as the channel layer.

The peers: a consumer of this template, in a generated project served by its own command, each socket with a
session; a bare ASGI app on the same server, which awaits `send` for one socket after the other; a Channels
consumer as in its tutorial, with `group_send`; and Node with `ws` and with socket.io. The floor is a program
in C that does nothing but call `send()` of a frame that is ready, for each socket: the kernel's share.

The template puts an event into a frame once, and writes it to a socket by one call
(`serving/uvicorn_frames.py`); events that wait go out together, in one call for each socket, so it may need
less than the floor, which has a call for each event.

CPU is that of the server's process, all threads of it, for a delivery: of one event at a time, and under full
load. Other load moves it less than rates. In brackets are the least and the most of all rounds.
Latencies are those of an event at a time, from publishing it to having read it, over all sockets. Deliveries
a second and the lag of the server's event loop are those under full load: four events under way all the time.
Memory is the growth of the resident set from before the sockets connect to when they all rest.
"""

import contextlib
import dataclasses
import shutil
import subprocess
import time

from .common import (
    BUILD,
    HERE,
    Load,
    compiled,
    family,
    family_cpu_seconds,
    free_port,
    get_json,
    rss,
    running,
    uvicorn,
)
from .plot import chart
from .project import ENVIRONMENT
from .report import Bar, in_rounds, median, none_lost, ratio, table, with_spread

EVENT = 200  # bytes
WINDOW = 4  # events under way in `stream`
TITLES = {
    "floor": "the floor",
    "hub": "this template",
    "bare": "bare ASGI app",
    "textbook": "Channels consumer",
    "ws": "Node, ws",
    "socketio": "Node, socket.io",
}
PLOT = """

![Deliveries a second, latency and memory of each server at {sockets:,} sockets](fanout.svg)"""
NODE = ("ws", "socketio")


@dataclasses.dataclass
class Peer:
    """A server under test: the command that starts it, and what the generator has to know of it."""

    command: list
    path: str = "/ws/"
    options: tuple = ()


def peers(project, port):
    """All servers by name."""
    node = HERE / "peers" / "node"
    return {
        "floor": Peer([BUILD / "floor", str(port)]),
        "hub": Peer(
            [project.python, "-m", "benchmarks.peers.hub"],
            "/ws/bench/",
            ("-r", '"ready"'),
        ),
        "bare": Peer(
            uvicorn("benchmarks.peers.bare:application", port, project.python),
        ),
        "textbook": Peer(
            uvicorn("benchmarks.peers.textbook:application", port, project.python),
        ),
        "ws": Peer(["node", node / "ws.js"]),
        "socketio": Peer(
            ["node", node / "socketio.js"],
            "/socket.io/?EIO=4&transport=websocket",
            ("-s", "40", "-r", '40{"sid"'),  # `40` asks for the namespace, the answer has the sid
        ),
    }


def headers(project, port):
    """What every peer is sent: servers keep the headers of a socket in memory."""
    return f"Cookie: {project.cookie}\r\nOrigin: http://127.0.0.1:{port}"


@contextlib.contextmanager
def serving(name, project, redis_url, command=None, **settings):
    """The process of a peer, by its own command or this one, its port, and what connects the generator."""
    port = free_port()
    peer = peers(project, port)[name]

    def load(sockets, *options):
        return Load(port, peer.path, sockets, "-H", headers(project, port), *peer.options, *options)

    environment = {**ENVIRONMENT, **settings, "PORT": str(port), "REDIS_URL": redis_url}
    with running(command or peer.command, port, project.path, **environment) as server:
        yield server, port, load


def measure(name, project, redis_url, sockets, seconds, command=None):
    """The figures of one peer in one round, of all its processes."""
    with serving(name, project, redis_url, command) as (server, port, load_with):
        with load_with(50) as load:  # imports, caches, the first Redis connection
            load.run(events=3)
        time.sleep(1)
        before = sum(map(rss, family(server)))
        with load_with(sockets) as load:
            time.sleep(1)
            memory = (sum(map(rss, family(server))) - before) / sockets
            load.run(events=2)
            get_json(port, "/lag")
            start = family_cpu_seconds(server)
            one = load.run(seconds, events=3, gap=20, size=EVENT)
            one_cpu = family_cpu_seconds(server) - start
            get_json(port, "/lag")
            start = family_cpu_seconds(server)
            stream = load.run(seconds, events=3, window=WINDOW, size=EVENT)
            cpu = family_cpu_seconds(server) - start
            lag = get_json(port, "/lag")
    return {
        "deliveries_per_second": stream["deliveries_per_second"],
        "one_us": one_cpu / one["deliveries"] * 1e6,
        "cpu_us": cpu / stream["deliveries"] * 1e6,
        "last_ms": one["last_ms"],
        "p50_ms": one["p50_ms"],
        "p99_ms": one["p99_ms"],
        "lag_p99_ms": lag["p99"],
        "memory_kb": memory / 1024,
        "handshakes_per_second": load.connected["handshakes_per_second"],
        "generator_cpu": max(one["cpu"], stream["cpu"]),
        "lost": one["lost"] + stream["lost"] + one["repeated"] + stream["repeated"],
    }


def measure_stalled(name, project, redis_url, sockets=100, events=1200, size=16384):
    """What the others get while one more client has stopped to read, and is `events * size` bytes behind."""
    with serving(name, project, redis_url) as (server, _, load_with):
        before = rss(server)
        with load_with(sockets, "-z", "1") as load:
            others = load.run(events=events, window=WINDOW, size=size)
            grown = rss(server) - before
            return {**others, "behind": events * size, "grown": grown, "stalled": load.resume()}


def run(project, redis_url, options):
    """All peers in so many rounds, then this template with a client that does not read."""
    compiled("peers/floor.c")
    names = list(TITLES) if prepare_node() else [name for name in TITLES if name not in NODE]
    figures = in_rounds(
        names,
        lambda name: measure(name, project, redis_url, options.sockets, options.seconds),
        options.rounds,
    )
    stalled = measure_stalled("hub", project, redis_url)
    print(f"one client does not read: {stalled}")
    return {"rounds": figures, "stalled": stalled, "sockets": options.sockets}


def prepare_node():
    """Install what the Node peers need; False, and a line that says so, where there is no Node."""
    if shutil.which("npm") is None:
        print("There is no npm: measuring without `ws` and socket.io")
        return False
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(command, cwd=HERE / "peers" / "node", check=True)
    return True


def bars(results):
    rounds, stalled = results["rounds"], results["stalled"]
    rate = "deliveries_per_second"
    result = [
        Bar(
            "server CPU of a delivery, as a multiple of the floor's",
            ratio(rounds, "hub", "floor", "one_us"),
            most=1.6,
        ),
        Bar("... under full load", ratio(rounds, "hub", "floor", "cpu_us"), most=1.6),
        Bar("deliveries a second, as a multiple of the bare app's", ratio(rounds, "hub", "bare", rate), 0.75),
        Bar("... of the Channels consumer's", ratio(rounds, "hub", "textbook", rate), 12),
    ]
    if "socketio" in rounds[0]:
        result.append(Bar("... of socket.io's", ratio(rounds, "hub", "socketio", rate), 1))
    return [
        *result,
        Bar("p99 latency in ms", median(rounds, "hub", "p99_ms"), most=100),
        Bar("... as a multiple of the bare app's", ratio(rounds, "hub", "bare", "p99_ms"), most=1.6),
        Bar("event loop lag under full load, p99 in ms", median(rounds, "hub", "lag_p99_ms"), most=5),
        Bar(
            "memory per socket, as a multiple of the bare app's",
            ratio(rounds, "hub", "bare", "memory_kb"),
            most=1.25,
        ),
        none_lost(rounds, ["hub"]),
        Bar("... by the others while a client is stalled", stalled["lost"] + stalled["repeated"], most=0),
        Bar("MB that the stalled client was behind", stalled["behind"] / 1e6, 4),
        Bar("share of its core that the load generator used", max_share(rounds), most=0.9),
    ]


def max_share(rounds):
    """The largest over all peers; at 1 the generator would have been what was measured.

    The floor is as fast as the generator: of it, only the CPU counts.
    """
    return max(median(rounds, name, "generator_cpu") for name in rounds[0] if name != "floor")


COLUMNS = {  # key: title, format
    "deliveries_per_second": ("deliveries/s", ",.0f"),
    "last_ms": ("last socket ms", ".0f"),
    "p50_ms": ("p50 ms", ".0f"),
    "p99_ms": ("p99 ms", ".0f"),
    "lag_p99_ms": ("loop lag p99 ms", ".1f"),
    "memory_kb": ("KB per socket", ".1f"),
    "handshakes_per_second": ("handshakes/s", ",.0f"),
    "generator_cpu": ("generator CPU", ".0%"),
}


def section(results):
    """The table and the plot for the page."""
    rounds = results["rounds"]
    rows = []
    for name in rounds[0]:
        cpu = [
            figure
            for key in ("one_us", "cpu_us")
            for figure in (
                with_spread(rounds, name, key, ".1f"),
                format(ratio(rounds, name, "floor", key), ".2f"),
            )
        ]
        figures = [format(median(rounds, name, key), spec) for key, (_, spec) in COLUMNS.items()]
        rows.append([TITLES[name], *cpu, *figures])
    head = ["", "CPU of a delivery, µs", "to the floor's", "... under full load, µs", "to the floor's"]
    return table([*head, *(title for title, _ in COLUMNS.values())], rows) + PLOT.format(**results)


def plot(results):
    """The plot for the page."""
    rounds = results["rounds"]
    panels = [
        ("Deliveries a second (more is better)", "deliveries_per_second"),
        ("p99 latency in ms (less is better)", "p99_ms"),
        ("Memory per socket, KB (less is better)", "memory_kb"),
    ]
    figures = [
        (title, {TITLES[name]: median(rounds, name, key) for name in rounds[0]}) for title, key in panels
    ]
    return chart(figures, ours=TITLES["hub"])
