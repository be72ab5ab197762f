"""
One server process of a generated project, and two, behind nginx with the project's own configuration, with
Redis between them and each socket with a session. Events of 200 bytes go to all sockets, one at a time, ten
times a second: so few that no process is ever full.

This machine has too few cores for a process, nginx, Redis and the clients to have one each, so a rate would
be theirs together. What two processes could do with a core each is told by their CPU: the busiest of the two
is full when both have done so much more than one, which has all sockets, could. They share a core here; where
the system permits it (`SCHED_FIFO`) one is not interrupted for the other, as on a core of its own.
"""

import contextlib
import os
import sys
import time

from .common import HERE, Load, cpu_seconds, family_cpu_seconds, free_port, running
from .project import ENVIRONMENT, generate
from .report import Bar, in_rounds, none_lost, ratio, table, with_spread

sys.path.append(str(HERE.parent / "tests"))
from proxy import nginx, upstream

EVENT, GAP = 200, 100  # bytes; ms between two events
SOCKETS = 4000  # nginx needs two connections for each, and ports that are free
TITLES = {1: "one process", 2: "two processes"}


@contextlib.contextmanager
def serving(number, project, redis_url):
    """So many processes, and nginx before them."""
    with contextlib.ExitStack() as stack:
        ports = [free_port() for _ in range(number)]
        command = [project.python, "-m", "benchmarks.peers.hub"]
        servers = [
            stack.enter_context(
                running(command, port, project.path, **ENVIRONMENT, PORT=str(port), REDIS_URL=redis_url)
            )
            for port in ports
        ]
        for server in servers:
            with contextlib.suppress(PermissionError):
                os.sched_setscheduler(server.pid, os.SCHED_FIFO, os.sched_param(1))
        main = upstream(ports).replace("worker_connections 4096", "worker_connections 32768")
        yield servers, stack.enter_context(nginx(project.path, main))


def measure(number, project, redis_url, sockets, seconds):
    """The figures of so many processes in one round: microseconds for each handshake, and each delivery."""
    with serving(number, project, redis_url) as (servers, proxy):
        headers = f"Cookie: {project.cookie}\r\nOrigin: {proxy.url}"

        def connected(count):
            return Load(proxy.port, "/ws/bench/", count, "-H", headers, "-r", '"ready"')

        def spent():
            return [cpu_seconds(server) for server in servers], family_cpu_seconds(proxy.process)

        def since(before, count):
            (own, nginx_own), (own_before, nginx_before) = spent(), before
            each = [(now - then) / count * 1e6 for now, then in zip(own, own_before, strict=True)]
            return max(each), sum(each), (nginx_own - nginx_before) / count * 1e6

        with connected(50) as load:  # imports, caches, the first Redis connection
            load.run(events=3)
        time.sleep(1)
        before = spent()
        with connected(sockets) as load:
            handshake = since(before, sockets)
            load.run(events=2)
            time.sleep(1)
            before = spent()
            events = load.run(seconds, events=3, gap=GAP, size=EVENT)
            delivery = since(before, events["deliveries"])
    names = ("busiest_us", "sum_us", "nginx_us")
    return {
        **{f"handshake_{name}": figure for name, figure in zip(names, handshake, strict=True)},
        **{f"delivery_{name}": figure for name, figure in zip(names, delivery, strict=True)},
        "lost": events["lost"] + events["repeated"],
    }


def run(project, redis_url, options):
    own = generate(project_slug="bench_processes", deployment="systemd")
    sockets = min(options.sockets, SOCKETS)
    rounds = in_rounds(
        list(TITLES),
        lambda number: measure(number, own, redis_url, sockets, options.seconds),
        options.rounds,
    )
    return {"rounds": rounds, "sockets": sockets}


def bars(results):
    rounds = results["rounds"]
    return [
        *(
            Bar(
                f"what two processes can do with a core each, as a multiple of one: {title}",
                ratio(rounds, 1, 2, f"{key}_busiest_us"),
                1.8,
            )
            for title, key in (("handshakes", "handshake"), ("deliveries", "delivery"))
        ),
        none_lost(rounds, TITLES),
    ]


COLUMNS = {
    "busiest_us": "busiest process, µs",
    "sum_us": "all processes, µs",
    "nginx_us": "nginx, µs",
}


def section(results):
    rounds = results["rounds"]
    rows = [
        [f"{what}, {title}", *(with_spread(rounds, number, f"{key}_{column}", spec) for column in COLUMNS)]
        for what, key, spec in (("a handshake", "handshake", ",.0f"), ("a delivery", "delivery", ".1f"))
        for number, title in TITLES.items()
    ]
    return f"{results['sockets']:,} sockets.\n\n" + table(["CPU of", *COLUMNS.values()], rows)
