"""
An async JSON view on the project's server: behind the project's middleware, behind none, and behind the same
middleware without what config/middleware.py does for it.

32 connections, each kept alive with one request under way at a time.
"""

import asyncio
import time

from .common import free_port, running
from .project import ENVIRONMENT
from .report import Bar, in_rounds, median, ratio, table

CHAINS = {
    "none": "no middleware",
    "project": "this template's whole chain",
    "standard": "the same chain, as Django runs it",
}
CONNECTIONS = 32


def measure(chain, project, redis_url, seconds):
    """The figures behind one chain in one round."""
    port = free_port()
    environment = {**ENVIRONMENT, "CHAIN": chain, "PORT": str(port), "REDIS_URL": redis_url}
    with running([project.python, "-m", "benchmarks.peers.site"], port, project.path, **environment):
        asyncio.run(load(port, 0.5))  # imports and caches
        begin, cpu = time.perf_counter(), time.process_time()
        latencies = sorted(asyncio.run(load(port, seconds)))
        wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
    return {
        "requests_per_second": len(latencies) / wall,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
        "generator_cpu": cpu / wall,
    }


async def load(port, seconds):
    """The latencies of all requests that are answered within so many seconds."""
    latencies = []
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(ask(port, latencies))
    except TimeoutError:
        return latencies


async def ask(port, latencies):
    """Send request after request on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        begin = time.perf_counter()
        writer.write(b"GET /bench/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        await reader.readuntil(b"}\r\n0\r\n\r\n" if b"chunked" in head else b"}")
        latencies.append(time.perf_counter() - begin)


def run(project, redis_url, options):
    seconds = options.seconds
    return in_rounds(list(CHAINS), lambda chain: measure(chain, project, redis_url, seconds), options.rounds)


def bars(rounds):
    share = ratio(rounds, "project", "none", "requests_per_second")
    return [Bar("requests a second behind all middleware, as a multiple of those behind none", share, 0.7)]


def section(rounds):
    rows = [
        [
            title,
            f"{median(rounds, name, 'requests_per_second'):,.0f}",
            f"{median(rounds, name, 'p50_ms'):.1f}",
            f"{median(rounds, name, 'p99_ms'):.1f}",
            f"{ratio(rounds, name, 'none', 'requests_per_second'):.2f}",
            f"{median(rounds, name, 'generator_cpu'):.0%}",
        ]
        for name, title in CHAINS.items()
    ]
    return table(["", "requests/s", "p50 ms", "p99 ms", "ratio", "generator CPU"], rows)
