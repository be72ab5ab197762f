"""
Events published by one process: from sync code in a process that serves no sockets, as a task or a command,
and from async code in one that does, one after the other or a hundred at a time. Beside them the same frames
by redis-py's plain `PUBLISH`, encoded by `json`, and by Channels' `async_to_sync(group_send)`.

They are counted as they arrive at a subscriber of the group in Redis, as each server process is one. CPU is
that of the publishing process, with all its threads. In brackets are the least and the most of all rounds.
"""

import os
import socket
import subprocess
import time
from urllib.parse import urlsplit

from .common import use_server_core
from .project import ENVIRONMENT
from .report import Bar, in_rounds, median, ratio, table, with_spread

METHODS = {  # and how many events each publishes
    "publish": ("sync code: this template, `publish`", 40_000),
    "plain": ("sync code: redis-py, `PUBLISH`", 10_000),
    "async_to_sync": ("sync code: Channels, `async_to_sync(group_send)`", 1_000),
    "apublish": ("async code: this template, `apublish`", 10_000),
    "aplain": ("async code: redis-py, `PUBLISH`", 10_000),
    "apublish_many": ("async code, 100 at a time: this template, `apublish`", 20_000),
    "aplain_many": ("async code, 100 at a time: redis-py, `PUBLISH`", 20_000),
}
ARRIVED = b"$8\r\npmessage\r\n"  # begins each event that a subscriber is sent
PATIENCE = 10  # seconds without an event, after which the rest are lost


def measure(method, project, redis_url):
    """The figures of one method in one round."""
    _, count = METHODS[method]
    address = urlsplit(redis_url)
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as subscriber:
        if address.password:
            subscriber.sendall(f"AUTH {address.password}\r\n".encode())
        subscriber.sendall(b"PSUBSCRIBE *__group__bench\r\n")
        subscriber.recv(1000)
        publisher = subprocess.Popen(
            [project.python, "-m", "benchmarks.peers.publisher", method, str(count)],
            cwd=project.path,
            env={**os.environ, **ENVIRONMENT, "REDIS_URL": redis_url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=use_server_core,
        )
        with publisher:
            publisher.stdout.readline()  # it is ready
            cpu, begin = time.process_time(), time.perf_counter()
            publisher.stdin.close()
            arrived = count_events(subscriber, count)
            wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
            own_cpu = float(publisher.stdout.readline())
    return {
        "events_per_second": arrived / wall,
        "cpu_us": own_cpu / count * 1e6,
        "lost": count - arrived,
        "generator_cpu": cpu / wall,
    }


def count_events(subscriber, wanted):
    arrived, rest = 0, b""
    while arrived < wanted:
        try:
            data = rest + subscriber.recv(1_000_000)
        except TimeoutError:
            break
        arrived += data.count(ARRIVED)
        rest = data[max(data.rfind(ARRIVED) + len(ARRIVED), len(data) - len(ARRIVED) + 1) :]
    return arrived


def run(project, redis_url, options):
    return in_rounds(list(METHODS), lambda method: measure(method, project, redis_url), options.rounds)


def bars(rounds):
    rate = "events_per_second"
    return [
        Bar("events a second from sync code", median(rounds, "publish", rate), 20_000),
        Bar(
            "... as a multiple of `async_to_sync(group_send)`",
            ratio(rounds, "publish", "async_to_sync", rate),
            10,
        ),
        Bar(
            "from async code, as a multiple of plain `PUBLISH`",
            ratio(rounds, "apublish", "aplain", rate),
            0.9,
        ),
        Bar("... 100 at a time", ratio(rounds, "apublish_many", "aplain_many", rate), 0.9),
        Bar(
            "events lost",
            sum(figures[name]["lost"] for figures in rounds for name in METHODS if "publish" in name),
            most=0,
        ),
    ]


def section(rounds):
    rows = [
        [
            title,
            with_spread(rounds, name, "events_per_second", ",.0f"),
            with_spread(rounds, name, "cpu_us", ".0f"),
        ]
        for name, (title, _) in METHODS.items()
    ]
    return table(["", "events/s", "CPU each, µs"], rows)
