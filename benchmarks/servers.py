"""
The fan-out of this template with each server that it offers: one event of 200 bytes to all sockets of one
process, by itself and, under full load, with four under way all the time, through Redis, each socket with a
session.

With all but Granian sockets share the bytes of a frame, which the server's Python code writes to each;
Granian makes a frame for each socket, in Rust, behind a future. CPU is that of all threads and processes of
the server for a delivery. In brackets are the least and the most of all rounds.
"""

from . import fanout
from .project import generate
from .report import in_rounds, median, none_lost, ratio, table, with_spread

SERVERS = ("uvicorn", "gunicorn", "hypercorn", "granian", "daphne")
SOCKETS = 2000  # Daphne takes its time for handshakes
BENCH = "\nimport benchmarks.peers.hub\n"  # at the end of config/asgi.py, which workers import
KEYS = ("deliveries_per_second", "p99_ms", "lag_p99_ms", "memory_kb", "handshakes_per_second")


def measure(project, redis_url, sockets, seconds):
    """The figures of one server in one round."""
    command = [project.python, "-m", "serving.server"]
    return fanout.measure("hub", project, redis_url, sockets, seconds, command)


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
    return [none_lost(results["rounds"], SERVERS)]


def section(results):
    rounds, columns = results["rounds"], [(key, *fanout.COLUMNS[key]) for key in KEYS]
    rows = [
        [
            server,
            with_spread(rounds, server, "one_us", ".1f"),
            f"{ratio(rounds, server, 'uvicorn', 'one_us'):.2f}",
            with_spread(rounds, server, "cpu_us", ".1f"),
            *(format(median(rounds, server, key), spec) for key, _, spec in columns),
        ]
        for server in SERVERS
    ]
    head = ["", "CPU of a delivery, µs", "to Uvicorn's", "... under full load, µs"]
    return f"{results['sockets']:,} sockets.\n\n{table([*head, *(title for _, title, _ in columns)], rows)}"
