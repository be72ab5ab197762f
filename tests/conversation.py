"""What must work wherever a project runs: two people talk, and are sent away when the server stops."""

import asyncio
import time
from contextlib import AsyncExitStack, closing
from itertools import count

from client import Person
from polling import until

ROOM, NOTIFICATIONS = "/ws/rooms/{}/", "/ws/notifications/"
ENDS_WITHIN = 10  # seconds after SIGTERM
serial = count(1)


def people(url, variant):
    """Return the demo users student and mentor, who prove who they are as the variant has it."""
    by = "jwt" if variant["auth"] == "jwt" else "session"
    return [Person(url, name, by) for name in ("student", "mentor")]


def new_room(person):
    """Make a room in which nobody has been; return its path."""
    slug = f"talk-{time.time_ns()}-{next(serial)}"
    person.do("/rooms/", name=slug, slug=slug)
    return ROOM.format(slug)


async def converse(url, variant):
    """Two people log in at `url`, meet in a room and chat; one is sent a notification. Return the seconds."""
    start = time.monotonic()
    student, mentor = people(url, variant)
    with closing(student), closing(mentor):
        room = new_room(student)
        async with student.open(room) as one, student.open(NOTIFICATIONS) as own, AsyncExitStack() as later:
            for socket in (one, own):
                await socket.frame("connection_established")
            two = await later.enter_async_context(mentor.open(room))  # only now, else it may be there first
            await two.frame("connection_established")
            assert (await one.frame("presence"))["user"]["username"] == "mentor"
            for speaker, text in ((one, "Hello"), (two, "Hello yourself")):
                assert (await speaker.request("chat_message", message=text))["ok"]
                heard = [await socket.frame("chat_message") for socket in (one, two)]
                assert [frame["message"] for frame in heard] == [text, text]
            student.do("/notifications/test/")
            assert (await own.frame("notification"))["kind"]
    return time.monotonic() - start


async def drains(server, variant, stop=None, url=None):
    """Stop a server that has 20 sockets open, by SIGTERM or by `stop()`; return the seconds until it ended.

    Every client is told to come back, and when.
    """
    code = 4012 if variant["server"] == "daphne" else 1012
    student, mentor = people(url or server.url, variant)
    with closing(student), closing(mentor):
        room = new_room(student)
        async with AsyncExitStack() as stack:
            opened = (person.open(path) for person in (student, mentor) for path in (room, NOTIFICATIONS) * 5)
            sockets = [await stack.enter_async_context(socket) for socket in opened]
            for socket in sockets:
                await socket.frame("connection_established")
            start = time.monotonic()
            (stop or server.terminate)()
            codes = await asyncio.gather(*(socket.closed() for socket in sockets))
            await until(lambda: server.process.poll() is not None, ENDS_WITHIN, server)
            seconds = time.monotonic() - start
        types = [[frame["type"] for frame in socket.unread] for socket in sockets]
        ends = "\n".join(f"{end[0]}: {end[1]}" for end in zip(codes, types, strict=True))
        assert set(codes) == {code}, f"{ends}\n{server.output()}"
        assert {each.count("reconnect") for each in types} == {1}, f"{ends}\n{server.output()}"
    return seconds
