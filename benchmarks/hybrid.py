"""
The same project by WSGI, with Gunicorn's threads or its sync worker, and by ASGI, with Uvicorn: one worker
process each, on one core, behind the project's whole middleware. A view makes calls that take a while, as
those to another service do; here they sleep, so what is measured is waiting, and what it costs.

Each connection sends one request, reads the answer, and is followed by another, as behind this template's
nginx. Latencies are those of the requests that were answered in the time of a measurement; where most were
still waiting by then, the figures say little more than that. Memory is that of all processes of the server.
"""

import asyncio
import contextlib
import time

from .common import family, free_port, running
from .project import ENVIRONMENT, generate
from .report import Bar, in_rounds, median, ratio, table

SERVERS = {  # name: what it is called, how it is served, and its threads
    "sync": ("WSGI, sync worker", "sync-workers", 1),
    "threads_1": ("WSGI, 1 thread", "threads", 1),
    "threads_8": ("WSGI, 8 threads", "threads", 8),
    "threads_32": ("WSGI, 32 threads", "threads", 32),
    "threads_100": ("WSGI, 100 threads", "threads", 100),
    "sync_views": ("ASGI, sync views", "sync-views", 1),
    "async": ("ASGI, async views", "async", 1),
}
CASES = {  # name: what it is called, the address, and how many connections
    "none_50": ("no call, 50 connections", "calls/0/0", 50),
    "call_50": ("one call of 50 ms, 50 connections", "calls/1/50", 50),
    "call_200": ("one call of 50 ms, 200 connections", "calls/1/50", 200),
    "call_2000": ("one call of 50 ms, 2,000 connections", "calls/1/50", 2000),
    "three_50": ("three calls of 50 ms, one after the other, 50 connections", "calls/3/50", 50),
    "gather_50": ("three calls of 50 ms, gathered where views are async, 50 connections", "gather/3/50", 50),
    "second_50": ("one call of 1 s, 50 connections", "calls/1/1000", 50),
    "second_200": ("one call of 1 s, 200 connections", "calls/1/1000", 200),
    "second_2000": ("one call of 1 s, 2,000 connections", "calls/1/1000", 2000),
}
OPENING = 2  # seconds before a measurement begins
ASYNC, FEW, MANY = "async", "threads_8", "threads_100"


def measure(name, project, environment, seconds):
    """The figures of one server in one round, of all cases."""
    _, serving, threads = SERVERS[name]
    port, figures = str(free_port()), {}
    environment |= {"SERVING": serving, "PORT": port, "WSGI_PORT": port, "WSGI_THREADS": str(threads)}
    command = [project.python, "-m", "benchmarks.peers.hybrid"]
    for case, (_, path, connections) in CASES.items():
        # Each case has a server of its own, or it would answer what the last case has left in the queue.
        with running(command, int(port), project.path, **environment) as server:
            asyncio.run(load(port, "calls/0/0", 4, 0.5, opening=0))  # imports and caches
            latencies, errors, wall = asyncio.run(load(port, path, connections, seconds))
            memory = sum(process.memory_info().rss for process in family(server))
        latencies.sort()
        figures |= {
            f"{case}_per_second": len(latencies) / wall,
            f"{case}_p50_ms": quantile(latencies, 0.5),
            f"{case}_p99_ms": quantile(latencies, 0.99),
            f"{case}_errors": errors,
            f"{case}_mib": memory / 2**20,
        }
    return figures


def quantile(ordered, part):
    return ordered[int(len(ordered) * part)] * 1000 if ordered else float("inf")


async def load(port, path, connections, seconds, opening=OPENING):
    """The latencies of what is answered in so many seconds, how often it was not, and how long it took.

    What is answered before, while the connections open, is not among them.
    """
    latencies, errors, begin = [], [], time.perf_counter()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(opening + seconds), asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(ask(port, path, latencies, errors))
            await asyncio.sleep(opening)
            latencies.clear()
            begin = time.perf_counter()
    return latencies, len(errors), time.perf_counter() - begin


async def ask(port, path, latencies, errors):
    """Send request after request, each on a connection of its own."""
    request = f"GET /bench/{path}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    while True:
        begin, writer = time.perf_counter(), None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            answer = await reader.read(-1)
            if answer.startswith(b"HTTP/1.1 200"):
                latencies.append(time.perf_counter() - begin)
            else:
                errors.append(answer)
        except OSError as error:
            errors.append(error)
            await asyncio.sleep(0.05)
        finally:
            if writer is not None:
                writer.transport.abort()


def run(project, redis_url, options):
    made = generate(project_slug="bench_hybrid", _wsgi="yes", consumers="none")
    environment = ENVIRONMENT | {"REDIS_URL": redis_url, "WSGI_WORKERS": "1", "HOST": "127.0.0.1"}
    return in_rounds(
        list(SERVERS), lambda name: measure(name, made, environment, options.seconds), options.rounds
    )


def times(rounds, case, other, name=ASYNC):
    """How many times as many requests a second one server answers as another."""
    figures = [each for each in rounds if each[other][f"{case}_per_second"]]
    return ratio(figures, name, other, f"{case}_per_second") if figures else float("inf")


def bars(rounds):
    return [
        Bar(
            "ASGI beside 8 threads, one call of 50 ms, 50 connections: times as many",
            times(rounds, "call_50", FEW),
            2,
        ),
        Bar("requests that async views did not answer with 200", failed(rounds, ASYNC), most=0),
    ]


def failed(rounds, name):
    return sum(figures[name][f"{case}_errors"] for figures in rounds for case in CASES)


def sentences(rounds):
    """What follows from the figures: where async views win, and where they lose."""
    wins, even, losses = [], [], []
    for case, (title, *_) in CASES.items():
        few, many = times(rounds, case, FEW), times(rounds, case, MANY)
        said = f"- {title}: {as_many(few)} 8 threads, {as_many(many)} 100"
        (wins if few >= 2 else losses if few < 0.9 else even).append(said)
    plain = {name: median(rounds, name, "none_50_per_second") for name in SERVERS}
    best = max(SERVERS, key=plain.get)
    memory = {name: median(rounds, name, "call_200_mib") for name in (FEW, MANY, ASYNC)}
    parts = [
        "Async views answer at least twice as many as 8 threads here:" if wins else "",
        "\n".join(wins),
        "About as many, or somewhat more:" if even else "",
        "\n".join(even),
        "And fewer:" if losses else "",
        "\n".join(losses),
        f"Without any call the fastest is {SERVERS[best][0]}"
        + ("" if best == ASYNC else f", with {plain[best] / plain[ASYNC]:.1f} times what async views answer")
        + ". With one call of 50 ms and 200 connections, a server of 8 threads takes "
        f"{memory[FEW]:.0f} MiB, one of 100 threads {memory[MANY]:.0f}, and with async views "
        f"{memory[ASYNC]:.0f}.",
    ]
    return "\n\n".join(part for part in parts if part)


def as_many(times):
    return "more than none of" if times == float("inf") else f"{times:.1f} times as many requests a second as"


def told(ms):
    return "none" if ms == float("inf") else f"{ms:,.0f}"


def section(rounds):
    tables = []
    for case, (title, *_) in CASES.items():
        rows = [
            [
                called,
                f"{median(rounds, name, f'{case}_per_second'):,.0f}",
                *(told(median(rounds, name, f"{case}_{part}_ms")) for part in ("p50", "p99")),
                f"{median(rounds, name, f'{case}_errors'):,.0f}",
                f"{median(rounds, name, f'{case}_mib'):.0f}",
            ]
            for name, (called, *_) in SERVERS.items()
        ]
        head = ["", "requests/s", "p50 ms", "p99 ms", "not answered", "MiB"]
        tables.append(f"**{title[0].upper()}{title[1:]}**\n\n{table(head, rows)}")
    return "\n\n".join([sentences(rounds), *tables])
