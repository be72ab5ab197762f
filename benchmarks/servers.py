"""
The fan-out of this template with each server that it offers: one event of 200 bytes to all sockets of one
process, by itself and, under full load, with four under way all the time, through Redis, each socket with a
session.

With all but Granian sockets share the bytes of a frame, which the server's Python code writes to each;
Granian makes a frame for each socket, in Rust, behind a future. CPU is that of all threads and processes of
the server for a delivery. In brackets are the least and the most of all rounds.
"""

import time

from .common import Load, free_port, get_json, rss, running
from .fanout import EVENT, WINDOW, headers
from .hybrid import family, family_cpu_seconds, stop
from .project import ENVIRONMENT, generate
from .report import Bar, in_rounds, median, ratio, table, with_spread

SERVERS = ("uvicorn", "gunicorn", "hypercorn", "granian", "daphne")
SOCKETS = 2000  # Daphne takes its time for handshakes
BENCH = "\nimport benchmarks.peers.hub\n"  # at the end of config/asgi.py, which workers import


def measure(project, redis_url, sockets, seconds):
    """The figures of one server in one round."""
    port = free_port()
    environment = ENVIRONMENT | {"PORT": str(port), "HOST": "127.0.0.1", "REDIS_URL": redis_url}

    def load_with(count):
        return Load(port, "/ws/bench/", count, "-H", headers(project, port), "-r", '"ready"')

    with running([project.python, "-m", "serving.server"], port, project.path, **environment) as server:
        with load_with(50) as load:  # imports, caches, the first Redis connection
            load.run(events=3)
        time.sleep(1)
        memory = sum(map(rss, family(server.pid)))
        with load_with(sockets) as load:
            time.sleep(1)
            memory = sum(map(rss, family(server.pid))) - memory
            load.run(events=2)
            get_json(port, "/lag")
            cpu = family_cpu_seconds(server)
            one = load.run(seconds, events=3, gap=20, size=EVENT)
            one_cpu = family_cpu_seconds(server) - cpu
            get_json(port, "/lag")
            cpu = family_cpu_seconds(server)
            stream = load.run(seconds, events=3, window=WINDOW, size=EVENT)
            cpu = family_cpu_seconds(server) - cpu
            lag = get_json(port, "/lag")
        stop(server)
    return {
        "one_us": one_cpu / one["deliveries"] * 1e6,
        "cpu_us": cpu / stream["deliveries"] * 1e6,
        "deliveries_per_second": stream["deliveries_per_second"],
        "p99_ms": one["p99_ms"],
        "lag_p99_ms": lag["p99"],
        "memory_kb": memory / sockets / 1024,
        "handshakes_per_second": load.connected["handshakes_per_second"],
        "lost": one["lost"] + one["repeated"] + stream["lost"] + stream["repeated"],
    }


def run(project, redis_url, options):
    projects = {}
    for server in SERVERS:
        projects[server] = generate(project_slug=f"bench_on_{server}", server=server)
        with (projects[server].path / "config/asgi.py").open("a") as file:
            file.write(BENCH)
    sockets = min(options.sockets, SOCKETS)
    rounds = in_rounds(
        list(SERVERS),
        lambda server: measure(projects[server], redis_url, sockets, options.seconds),
        options.rounds,
    )
    return {"rounds": rounds, "sockets": sockets}


def bars(results):
    rounds = results["rounds"]
    return [
        Bar(
            "events lost or repeated",
            sum(each["lost"] for figures in rounds for each in figures.values()),
            most=0,
        )
    ]


COLUMNS = {
    "deliveries_per_second": ("deliveries/s", ",.0f"),
    "p99_ms": ("p99 ms", ".0f"),
    "lag_p99_ms": ("loop lag p99 ms", ".1f"),
    "memory_kb": ("KB per socket", ".1f"),
    "handshakes_per_second": ("handshakes/s", ",.0f"),
}


def section(results):
    rounds = results["rounds"]
    rows = [
        [
            server,
            with_spread(rounds, server, "one_us", ".1f"),
            f"{ratio(rounds, server, 'uvicorn', 'one_us'):.2f}",
            with_spread(rounds, server, "cpu_us", ".1f"),
            *(format(median(rounds, server, key), spec) for key, (_, spec) in COLUMNS.items()),
        ]
        for server in SERVERS
    ]
    head = ["", "CPU of a delivery, µs", "to Uvicorn's", "... under full load, µs"]
    titles = (title for title, _ in COLUMNS.values())
    return f"{results['sockets']:,} sockets.\n\n{table([*head, *titles], rows)}"
