"""
Events published from sync code, in a process that serves no sockets: `realtime.publish.publish`, and
Channels' `async_to_sync(group_send)`.

They are counted as they arrive at a subscriber of the group in Redis, as each server process is one.
"""

import os
import subprocess
import time

import redis

from .common import use_server_core
from .project import ENVIRONMENT
from .report import Bar, in_rounds, median, ratio, table

METHODS = {  # and how many events each publishes
    "publish": ("this template, `publish`", 20_000),
    "async_to_sync": ("Channels, `async_to_sync(group_send)`", 1_000),
}


def measure(method, project, redis_url):
    """The figures of one method in one round."""
    _, count = METHODS[method]
    with (
        redis.Redis.from_url(redis_url) as client,
        client.pubsub(ignore_subscribe_messages=True) as subscriber,
    ):
        subscriber.psubscribe("*__group__bench")
        subscriber.get_message(timeout=1)
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
            arrived = 0
            while arrived < count and subscriber.get_message(timeout=10):
                arrived += 1
            wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
    return {"events_per_second": arrived / wall, "lost": count - arrived, "generator_cpu": cpu / wall}


def run(project, redis_url, options):
    return in_rounds(list(METHODS), lambda method: measure(method, project, redis_url), options.rounds)


def bars(rounds):
    faster = ratio(rounds, "publish", "async_to_sync", "events_per_second")
    return [
        Bar("events a second from sync code, as a multiple of `async_to_sync(group_send)`", faster, 10),
        Bar("events lost", sum(figures["publish"]["lost"] for figures in rounds), most=0),
    ]


def section(rounds):
    rows = [
        [title, f"{median(rounds, name, 'events_per_second'):,.0f}"] for name, (title, _) in METHODS.items()
    ]
    return table(["", "events/s"], rows)
