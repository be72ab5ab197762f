"""
What is said of a site with people who wait for news, such as a learning platform: a generated project, served
by its own command, with its own `notifications`.

**An update** is one notification, stored and then pushed to all sockets at once; one user has them all here.
Its latency is that from asking for it to having read it, over all sockets, one update at a time.

**Statements** are those that the project's database executes for 50 users within a minute, each of whom gets
one notification in it. They are counted in the server by Django's `execute_wrapper`; what begins and ends a
transaction is not among them. Polling is a view that reads the session, the user and the unread
notifications, for which each user asks every 5 seconds. Sockets are counted in the minute in which all
connect, and in the one after that, while they stay.

With P statements for an answer to a poll, E to store a notification, H for a handshake, and R for the look at
its users that a process takes every 45 seconds, so many users cost in a minute

    polling   users * (60 / 5 * P + E)
    sockets   users * (H / minutes that a socket stays + E) + R
"""

import asyncio
import json
import time
from collections import Counter
from contextlib import AsyncExitStack

import httpx
from websockets.asyncio.client import connect

from . import project as projects
from .common import Load, free_port, running
from .report import Bar, median, table

USERS = 50
EVERY = 5  # seconds between two polls of a user
MINUTE = 60
EVENT = 200  # bytes
TITLES = {
    "polling": f"polling every {EVERY} s",
    "connecting": "sockets, the minute in which they connect",
    "sockets": "sockets, a minute in which they are open",
}
SESSIONS = """
from django.contrib.auth import get_user_model
from django.test import Client
User = get_user_model()
for number in range({users}):
    client, user = Client(), User.objects.create_user(f"student-{{number}}-{{User.objects.count()}}")
    client.force_login(user)
    print(user.pk, client.cookies["sessionid"].value)
"""
READ = """
from django.utils import timezone
from notifications.models import Notification
Notification.objects.update(read_at=timezone.now())
"""


def shell(project, script):
    return projects.run(
        [project.python, "manage.py", "shell", "--no-imports", "--command", script], project.path
    )


def served(project, redis_url, port):
    command = [project.python, "-m", "benchmarks.peers.learning"]
    environment = {**projects.ENVIRONMENT, "PORT": str(port), "REDIS_URL": redis_url}
    return running(command, port, project.path, **environment)


def measure_update(project, redis_url, sockets, seconds):
    """How long one update takes to all sockets, in one round."""
    port = free_port()
    header = f"Cookie: {project.cookie}\r\nOrigin: http://127.0.0.1:{port}"
    path, ready = "/ws/notifications/", ("-r", '"connection_established"')
    with served(project, redis_url, port):
        with Load(port, path, 50, "-H", header, *ready) as load:  # imports, caches, the first connections
            load.run(events=3)
        shell(project, READ)  # so that they are no news to those who come now
        with Load(port, path, sockets, "-H", header, *ready) as load:
            load.run(events=2)
            return load.run(seconds, events=3, gap=20, size=EVENT)


# -- Statements --------------------------------------------------------------------------------------------


def count_statements(project, redis_url):
    """The statements of a minute in each way, and of one poll, event and handshake: {name: {word: n}}."""
    users = [line.split() for line in shell(project, SESSIONS.format(users=USERS)).splitlines()]
    port = free_port()
    with served(project, redis_url, port):
        return asyncio.run(count_minutes(port, users))


async def count_minutes(port, users):
    counted = {}
    site = f"http://127.0.0.1:{port}"

    async def get(path, cookie=""):
        answer = await client.get(path, headers={"Cookie": f"sessionid={cookie}"})
        return answer.raise_for_status().json()

    async def take(name):
        counted[name] = await get("/bench/statements/")

    async def tell(pk):
        await get(f"/bench/event/{pk}/")

    async def ask(number):
        """Poll, each user a little after the one before."""
        begin = time.monotonic() + EVERY * number / USERS
        for turn in range(MINUTE // EVERY):
            await asyncio.sleep(begin + turn * EVERY - time.monotonic())
            unread[number] = len((await get("/bench/unread/", users[number][1]))["unread"])

    async def a_minute(*more, begin):
        """Tell each user something once, in the second half of a minute."""

        async def tell_at(pk, at):
            await asyncio.sleep(at - time.monotonic())
            await tell(pk)

        async with asyncio.TaskGroup() as tasks:
            for number, (pk, _) in enumerate(users):
                tasks.create_task(tell_at(pk, begin + MINUTE / 2 + number * MINUTE / 4 / USERS))
            for each in more:
                tasks.create_task(each)
            tasks.create_task(asyncio.sleep(begin + MINUTE - time.monotonic()))

    async def open_socket(cookie):
        headers = {"Cookie": f"sessionid={cookie}"}
        socket = connect(f"ws://127.0.0.1:{port}/ws/notifications/", origin=site, additional_headers=headers)
        sockets.append(await stack.enter_async_context(socket))
        for _ in range(json.loads(await sockets[-1].recv())["unread"]):
            await sockets[-1].recv()

    unread, sockets = [0] * USERS, []
    async with httpx.AsyncClient(base_url=site, timeout=30) as client, AsyncExitStack() as stack:
        for name in ("warm-up", "P"):
            await get("/bench/unread/", users[0][1])
            await take(name)
        for name in ("warm-up", "E"):
            await tell(users[0][0])
            await take(name)
        await a_minute(*map(ask, range(USERS)), begin=time.monotonic())
        await take("polling")
        begin = time.monotonic()
        for _, cookie in users:
            await open_socket(cookie)
            if len(sockets) == 1:
                await take("H")
        await a_minute(begin=begin)
        await take("connecting")
        counted["connecting"] = Counter(counted["connecting"]) + Counter(counted["H"])
        await a_minute(begin=time.monotonic())
        await take("sockets")
        async with asyncio.timeout(10):
            for socket in sockets:
                news = 0
                while news < 2:  # one in each minute
                    news += json.loads(await socket.recv())["type"] == "notification"
    if not all(unread):
        raise RuntimeError(f"who polled was not told: {unread}")
    return counted


# -- What is shown -----------------------------------------------------------------------------------------


def run(project, redis_url, options):
    rounds = []
    for number in range(options.rounds):
        update = measure_update(project, redis_url, options.sockets, options.seconds)
        rounds.append({"update": update})
        print(f"round {number + 1} of {options.rounds}: an update: {update}", flush=True)
    statements = count_statements(project, redis_url)
    print(f"statements: {statements}", flush=True)
    return {"rounds": rounds, "statements": statements, "sockets": options.sockets}


def total(results, way):
    return sum(results["statements"][way].values())


def bars(results):
    rounds, polling = results["rounds"], total(results, "polling")
    lost = sum(each["update"]["lost"] + each["update"]["repeated"] for each in rounds)
    return [
        Bar(
            f"an update to {results['sockets']:,} sockets, p99 in ms",
            median(rounds, "update", "p99_ms"),
            most=100,
        ),
        Bar("updates lost or repeated", lost, most=0),
        Bar(
            f"statements of {USERS} users with open sockets in a minute, in % of those of polling",
            100 * total(results, "sockets") / polling,
            most=10,
        ),
    ]


def section(results):
    rounds = results["rounds"]
    figures = ("p50_ms", "p99_ms", "last_ms")
    update = table(
        ["an update, ms", "p50", "p99", "last socket"],
        [[f"{results['sockets']:,} sockets", *(f"{median(rounds, 'update', key):.0f}" for key in figures)]],
    )
    polling = total(results, "polling")
    rows = [
        [title, f"{total(results, way):,}", f"{total(results, way) / polling:.1%}"]
        for way, title in TITLES.items()
    ]
    p, e, h = (total(results, name) for name in "PEH")
    counted = (
        f"Counted one by one: P = {p}, E = {e}, H = {h}. So a socket has cost less than polling once it is "
        f"{EVERY * h / p:.0f} seconds old."
    )
    statements = table([f"statements of {USERS} users in a minute", "", "of polling"], rows)
    return "\n\n".join([update, statements, counted])
