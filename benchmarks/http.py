"""
JSON views of the project, served by Uvicorn: async ones behind the project's middleware, behind none, and
behind the same middleware without what config/middleware.py does for it; a sync one, by Uvicorn and by WSGI
with Gunicorn's threads; and an async one that asks who is logged in and makes one query more. Django by
itself listens beside each request for a client that leaves, and starts a thread for it, which opens a
connection of its own or borrows one from the pool; serving/handler.py and serving/request_threads.py do
otherwise.

32 connections, each kept alive with one request under way at a time. CPU is that of all threads and
processes of the server.
"""

import asyncio
import contextlib
import time

from .common import family_cpu_seconds, free_port, running
from .leaderboard import database
from .project import ENVIRONMENT, generate
from .report import Bar, in_rounds, median, ratio, spread, table

CASES = {  # name: title, database of the project, path, and what peers/site.py is told
    "none": ("async view, no middleware", "sqlite", "", {"CHAIN": "none"}),
    "none_django": (
        "the same, as Django does it",
        "sqlite",
        "",
        {"CHAIN": "none", "THREADS": "django"},
    ),
    "project": ("async view, this template's whole chain", "sqlite", "", {}),
    "standard": (
        "the same chain, all as Django does it",
        "sqlite",
        "",
        {"CHAIN": "standard", "THREADS": "django"},
    ),
    "sync": ("sync view, the whole chain", "sqlite", "sync/", {}),
    "threads": ("the same by WSGI, in threads", "sqlite", "sync/", {"SERVING": "wsgi"}),
    "sqlite": ("async view, session and a query, SQLite", "sqlite", "query/", {}),
    "sqlite_django": (
        "the same, as Django does it",
        "sqlite",
        "query/",
        {"THREADS": "django"},
    ),
    "postgresql": ("async view, session and a query, PostgreSQL", "postgresql", "query/", {}),
    "postgresql_django": (
        "the same, as Django does it",
        "postgresql",
        "query/",
        {"THREADS": "django"},
    ),
}
CONNECTIONS = 32


def measure(name, projects, seconds):
    """The figures of one case in one round."""
    _, kind, path, environment = CASES[name]
    project, services = projects[kind]
    port = str(free_port())
    environment = {"CHAIN": "project", "THREADS": "kept", "SERVING": "asgi", **environment}
    environment |= ENVIRONMENT | services | {"PORT": port, "WSGI_PORT": port}
    command = [project.python, "-m", "benchmarks.peers.site"]
    with running(command, int(port), project.path, **environment) as server:
        asyncio.run(load(port, path, project.cookie, 0.5))  # imports and caches
        begin, cpu, server_cpu = time.perf_counter(), time.process_time(), family_cpu_seconds(server)
        latencies = sorted(asyncio.run(load(port, path, project.cookie, seconds)))
        wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
        server_cpu = family_cpu_seconds(server) - server_cpu
    return {
        "cpu_us": server_cpu / len(latencies) * 1e6,
        "requests_per_second": len(latencies) / wall,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
        "generator_cpu": cpu / wall,
    }


async def load(port, path, cookie, seconds):
    """The latencies of all requests that are answered within so many seconds."""
    latencies = []
    request = f"GET /bench/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode()
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(ask(port, request, latencies))
    except TimeoutError:
        return latencies


async def ask(port, request, latencies):
    """Send request after request on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        begin = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        await reader.readuntil(b"}\r\n0\r\n\r\n" if b"chunked" in head else b"}")
        latencies.append(time.perf_counter() - begin)


def run(project, redis_url, options):
    with contextlib.ExitStack() as stack:
        projects = {}
        for kind in ("sqlite", "postgresql"):
            services = stack.enter_context(database(kind)) | {"REDIS_URL": redis_url}
            made = generate(services, project_slug=f"bench_http_{kind}", database=kind, _wsgi="yes")
            projects[kind] = made, services | {"WSGI_WORKERS": "1", "HOST": "127.0.0.1"}
        return in_rounds(list(CASES), lambda name: measure(name, projects, options.seconds), options.rounds)


def bars(rounds):
    def share(name, other):
        return ratio(rounds, name, other, "cpu_us")

    return [
        Bar(
            "CPU behind all middleware, as a multiple of that behind none",
            share("project", "none"),
            most=1.18,
        ),
        Bar("the same, of that behind none as Django does it", share("project", "none_django"), most=1.18),
        Bar("CPU of a sync view, as a multiple of that by WSGI", share("sync", "threads"), most=1.33),
        *(
            Bar(
                f"CPU with queries, as a multiple of that with Django's handler and threads, {name}",
                share(kind, f"{kind}_django"),
                most=0.5,
            )
            for kind, name in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL"))
        ),
    ]


def section(rounds):
    rows = [
        [
            title,
            f"{median(rounds, name, 'cpu_us'):,.0f}",
            spread(rounds, name, "cpu_us"),
            f"{median(rounds, name, 'requests_per_second'):,.0f}",
            spread(rounds, name, "requests_per_second"),
            f"{median(rounds, name, 'p50_ms'):.1f}",
            f"{median(rounds, name, 'p99_ms'):.1f}",
            f"{median(rounds, name, 'generator_cpu'):.0%}",
        ]
        for name, (title, *_) in CASES.items()
    ]
    head = ["", "CPU us", "from to", "requests/s", "from to", "p50 ms", "p99 ms", "generator CPU"]
    return table(head, rows)
