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

from . import project as projects
from .common import Load, free_port, get_json, running
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
        counted = asyncio.run(minutes(port, [(int(pk), cookie) for pk, cookie in users]))
    return counted


async def minutes(port, users):
    counted = {}

    def take(name):
        counted[name] = get_json(port, "/bench/statements/")

    pk, cookie = users[0]
    await get(port, "/bench/unread/", cookie)  # imports, caches
    await get(port, f"/bench/event/{pk}/")
    take("warm-up")
    await get(port, "/bench/unread/", cookie)
    take("P")
    await get(port, f"/bench/event/{pk}/")
    take("E")
    news = [0] * len(users)
    await a_minute(port, users, lambda number: poll(port, users[number][1], news, number))
    take("polling")
    assert all(news), "whoever polls gets the news"
    readers = [await connect(port, cookie) for _, cookie in users[:1]]
    take("H")
    started = time.monotonic()
    readers += [await connect(port, cookie) for _, cookie in users[1:]]
    await a_minute(port, users, since=started)
    take("connecting")
    counted["connecting"] = add(counted["connecting"], counted["H"])
    await a_minute(port, users)
    take("sockets")
    for reader, _ in readers:  # one in each minute
        text = await reader.read(2**20)
        assert text.count(b'"grade_received"') >= 2, "whoever has a socket gets the news"
    for _, writer in readers:
        writer.close()
    return counted


async def a_minute(port, users, also=None, since=None):
    """Let each user have an event somewhen in a minute, and do something else for as long."""
    begin = time.monotonic() if since is None else since
    async with asyncio.TaskGroup() as group:
        for number, (pk, _) in enumerate(users):
            at = begin + MINUTE / 2 + number * MINUTE / 4 / len(users)
            group.create_task(at_time(at, port, pk))
            if also is not None:
                group.create_task(also(number))
        group.create_task(asyncio.sleep(begin + MINUTE - time.monotonic()))


async def at_time(at, port, pk):
    await asyncio.sleep(at - time.monotonic())
    await get(port, f"/bench/event/{pk}/")


async def poll(port, cookie, news, number):
    """Ask again and again, the users one after the other."""
    begin = time.monotonic() + EVERY * number / USERS
    for turn in range(MINUTE // EVERY):
        await asyncio.sleep(begin + turn * EVERY - time.monotonic())
        news[number] = len(json.loads(await get(port, "/bench/unread/", cookie))["unread"])


async def get(port, path, cookie=""):
    """What is answered; a connection for each, so that nothing is under way when it has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Cookie: sessionid={cookie}", "Connection: close"]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    if b"chunked" in head.lower():
        body = body.partition(b"\r\n")[2].partition(b"\r\n")[0]
    return body


async def connect(port, cookie):
    """Open a socket of a user; it has all that was unread when this returns."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = [
        "GET /ws/notifications/ HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Origin: http://127.0.0.1:{port}",
        f"Cookie: sessionid={cookie}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
    await reader.readuntil(b'"connection_established"')
    await reader.readuntil(b'"grade_received"')
    return reader, writer


def add(one, other):
    return {word: one.get(word, 0) + other.get(word, 0) for word in one | other}


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
