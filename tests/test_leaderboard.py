"""The leaderboard over several processes: it ends where the database does, whatever was lost on the way."""

import asyncio
from collections import deque
from contextlib import asynccontextmanager, closing, suppress

import pytest
import redis

from client import Person
from follower import Follower
from polling import PAUSE, until
from serving import each, running
from variants import first

PATH = "/ws/leaderboard/"
SHARED = [first(channel_layer="redis", auth="session")]
ALONE = [first(server="uvicorn", channel_layer="memory", auth="session_jwt")]
WITHIN = 30  # seconds

# What a command of the owner's does: many add at once, and what some add is rolled back.
ADD = """
from concurrent.futures import ThreadPoolExecutor
from django.contrib.auth import get_user_model
from django.db import connections, transaction
from leaderboard.scores import add_score
from realtime.publish import flush

student, mentor, admin = [
    get_user_model().objects.get(username=name).pk for name in ("student", "mentor", "admin")
]

def add(number):
    try:
        with transaction.atomic():
            add_score(admin, 9999)
            transaction.set_rollback(True)
        for user in (student, mentor):
            add_score(user, 1)
    finally:
        connections.close_all()

with ThreadPoolExecutor(3) as threads:
    list(threads.map(add, range(100)))
assert flush()
"""


@pytest.fixture(scope="module", params=each(SHARED))
def project(request, installed):
    return installed(request.param)


class Standings:
    """What is in the Redis of a project."""

    def __init__(self, client):
        self.client = client

    def drop(self):
        self.client.flushdb()

    def points(self):
        keys = self.client.keys("*.leaderboard.points")
        return sorted(score for key in keys for _, score in self.client.zrange(key, 0, -1, withscores=True))


@pytest.fixture
def standings(project):
    with redis.Redis.from_url(project.dotenv()["REDIS_URL"]) as client:
        yield Standings(client)


def set_points(project, **points):
    """Set the points of the demo users; those of the others are removed."""
    code = f"""
from django.contrib.auth import get_user_model
from leaderboard.models import Score
from leaderboard.scores import update_leaderboard
from realtime.publish import flush
users, points = get_user_model().objects, {points}
Score.objects.exclude(user__username__in=points).delete()
update_leaderboard([(users.get(username=name).pk, number) for name, number in points.items()])
flush()
"""
    project.manage("shell", "--no-imports", "--command", code)


async def manage(project, *arguments, **options):
    return await asyncio.to_thread(project.manage, *arguments, **options)


async def run(project, code):
    """Run Python code in a process of the project."""
    await manage(project, "shell", "--no-imports", "--command", code)


@asynccontextmanager
async def watching(server, name="student"):
    with closing(Person(server.url, name, "session")) as person:
        async with Follower(person, PATH) as follower:
            yield follower


def table(follower):
    """Return the version and the points by name that a client has after all frames; None if it lacks one."""
    version, entries, early = None, {}, []
    frames = deque(follower.frames)
    while frames:
        frame = frames.popleft()
        if frame["type"] == "leaderboard_snapshot":
            version = frame["version"]
            entries = {entry["user"]["id"]: entry for entry in frame["entries"]}
            frames.extendleft(reversed(early))
            early = []
        elif frame["type"] == "leaderboard_changed" and version is None:
            early.append(frame)
        elif frame["type"] == "leaderboard_changed" and frame["version"] > version:
            version = frame["version"] if frame["version"] == version + 1 else None
            entries |= {entry["user"]["id"]: entry for entry in frame["changed"]}
            entries = {id: entry for id, entry in entries.items() if id not in frame["removed"]}
    return version, {entry["user"]["username"]: entry["score"] for entry in entries.values()}


async def shows(follower, **points):
    """Wait until a client has this table; as a page does, it asks for what it lacks."""
    with suppress(TimeoutError):
        async with asyncio.timeout(WITHIN):
            while True:
                version, shown = table(follower)
                if version is not None and shown == points:
                    return
                if version is None:
                    with suppress(ConnectionError):
                        await follower.request("snapshot")
                await asyncio.sleep(PAUSE)
    raise AssertionError(f"{table(follower)}, and not {points}: {follower}")


async def test_many_processes_write_and_nothing_is_lost(project, standings):
    set_points(project, student=0, mentor=0)
    with running(project) as one, running(project) as other:
        async with watching(one) as here, watching(other, "mentor") as there:
            await asyncio.gather(run(project, ADD), run(project, ADD))
            for follower in (here, there):
                await shows(follower, student=200, mentor=200)
                assert "9999" not in str(follower.frames)
            answer = await there.request("my_rank")
            assert (answer["rank"], answer["score"]) == (1, 200)
            assert standings.points() == [200, 200]


async def test_standings_that_are_dropped_are_made_anew(project, standings):
    set_points(project, student=5, mentor=7)
    with running(project) as one, running(project) as other:
        async with watching(one) as here, watching(other) as there:
            await shows(here, student=5, mentor=7)
            standings.drop()
            await manage(project, "add_score", "student", "5")
            for follower in (here, there):
                await shows(follower, student=10, mentor=7)
            await until(lambda: standings.points() == [7, 10], WITHIN)
            assert (await there.request("my_rank"))["rank"] == 1
    standings.drop()
    assert "from 2 scores" in project.manage("rebuild_leaderboard")
    assert standings.points() == [7, 10]


@pytest.mark.parametrize("fault", ["stopped", "killed"])
async def test_redis_that_was_away_has_what_the_database_has(project, standings, valkey, fault):
    set_points(project, student=1, mentor=2)
    with running(project) as one, running(project) as other:
        async with watching(one) as here, watching(other) as there:
            await shows(there, student=1, mentor=2)
            with getattr(valkey, fault)():
                said = await manage(project, "add_score", "student", "5", fails=True)
                assert "student has 6 points. Nobody was told" in said
                refusal = await manage(project, "rebuild_leaderboard", fails=True)
                assert refusal.splitlines()[-1].startswith("CommandError: Redis ")
            for follower in (here, there):
                await shows(follower, student=6, mentor=2)
            await until(lambda: standings.points() == [2, 6], WITHIN)


async def test_another_process_goes_on_where_one_is_killed(project):
    """The first one to watch has the lease; it dies while changes are on their way."""
    set_points(project, student=0, mentor=0)
    with running(project) as one:
        async with watching(one) as here:
            with running(project) as other:
                async with watching(other) as there:
                    await shows(there, student=0, mentor=0)
                    writing = asyncio.create_task(run(project, ADD))
                    await here.until(lambda: here.frames[-1]["type"] == "leaderboard_changed", WITHIN)
                    for process in one.processes():
                        process.kill()
                    await writing
                    await shows(there, student=100, mentor=100)
                    await manage(project, "add_score", "mentor", "1")
                    await shows(there, student=100, mentor=101)


@pytest.mark.parametrize("variant", each(ALONE))
async def test_points_from_another_process_reach_the_only_one_with_sockets(variant, installed):
    project = installed(variant)
    set_points(project, student=0, mentor=0)
    with running(project) as server:
        async with watching(server) as here:
            await run(project, ADD)
            await shows(here, student=100, mentor=100)
            assert "9999" not in str(here.frames)
            assert "from 2 scores" in await manage(project, "rebuild_leaderboard")
    said = project.manage("add_score", "student", "1", fails=True)
    assert "student has 101 points. Nobody was told" in said
