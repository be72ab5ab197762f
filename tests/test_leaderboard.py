"""The leaderboard over several processes: it ends where the database does, whatever was lost on the way."""

import asyncio
from contextlib import asynccontextmanager, closing, suppress
from types import SimpleNamespace

import pytest
import redis

from client import Person
from follower import Follower
from polling import PAUSE, until
from serving import each, running
from variants import BOOTED, first

PATH = "/ws/leaderboard/"
SHARED = [next(v for v in BOOTED if (v["channel_layer"], v["auth"]) == (layer, "session")) for layer in ("redis", "redis_queue")]
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


@pytest.fixture
def standings(project):
    """The Redis of the project, and the key of what is in there."""
    with redis.Redis.from_url(project.dotenv()["REDIS_URL"], decode_responses=True) as client:
        yield SimpleNamespace(client=client, key=f"{project.folder.name}.leaderboard.points")


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


@asynccontextmanager
async def watching(server, name="student"):
    with closing(Person(server.url, name, "session")) as person:
        async with Follower(person, PATH) as follower:
            yield follower


def table(follower):
    """Return the version and the points by name that a client has after all frames; None if it lacks one."""
    version, entries = None, {}
    for frame in list(follower.frames):
        if frame["type"] == "leaderboard_snapshot":
            version, entries = frame["version"], {entry["user"]["id"]: entry for entry in frame["entries"]}
        elif frame["type"] == "leaderboard_changed" and version is not None and frame["version"] > version:
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
            await asyncio.gather(*(manage(project, "shell", "--no-imports", "--command", ADD) for _ in range(2)))
            for follower in (here, there):
                await shows(follower, student=200, mentor=200)
                assert "9999" not in str(follower.frames)
            answer = await there.request("my_rank")
            assert (answer["rank"], answer["score"]) == (1, 200)
            assert sorted(dict(standings.client.zrange(standings.key, 0, -1, withscores=True)).values()) == [200, 200]


async def test_standings_that_are_dropped_are_made_anew(project, standings):
    set_points(project, student=5, mentor=7)
    with running(project) as one, running(project) as other:
        async with watching(one) as here, watching(other) as there:
            await shows(here, student=5, mentor=7)
            standings.client.flushdb()
            await manage(project, "add_score", "student", "5")
            for follower in (here, there):
                await shows(follower, student=10, mentor=7)
            await until(lambda: standings.client.zcard(standings.key) == 2, WITHIN)
            assert (await there.request("my_rank"))["rank"] == 1
    standings.client.flushdb()
    assert "from 2 scores" in project.manage("rebuild_leaderboard")
    assert standings.client.zcard(standings.key) == 2


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
            await until(lambda: 6 in dict(standings.client.zrange(standings.key, 0, -1, withscores=True)).values(), WITHIN)


async def test_another_process_goes_on_where_one_is_killed(project):
    """The first one to watch has the lease; it dies while changes are on their way."""
    set_points(project, student=0, mentor=0)
    with running(project) as one:
        async with watching(one) as here:
            with running(project) as other:
                async with watching(other) as there:
                    await shows(there, student=0, mentor=0)
                    writing = asyncio.create_task(manage(project, "shell", "--no-imports", "--command", ADD))
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
            await manage(project, "shell", "--no-imports", "--command", ADD)
            await shows(here, student=100, mentor=100)
            assert "9999" not in str(here.frames)
            assert "from 2 scores" in await manage(project, "rebuild_leaderboard")
    said = project.manage("add_score", "student", "1", fails=True)
    assert "student has 101 points. Nobody was told" in said
