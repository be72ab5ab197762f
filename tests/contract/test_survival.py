"""C8, C12: sockets that stay, idle and through a restart of Redis. The last file: see its tests."""

import asyncio
import json
import time
from contextlib import AsyncExitStack, suppress

import pytest
from websockets.exceptions import ConnectionClosed

from conversation import NOTIFICATIONS
from polling import until

IDLE = 12  # seconds


@pytest.mark.covering
async def test_c08_an_event_reaches_a_socket_that_was_idle(site):
    """The idle sockets were opened with the server; this test stands here so that others ran meanwhile."""
    await asyncio.sleep(site.idle_since + IDLE - time.monotonic())
    room, notifications = site.idle_sockets
    async with site.student.open(site.idle_room) as student:
        assert json.loads(await asyncio.to_thread(room.recv, 5))["event"] == "join"
        await student.request("chat_message", message="Anyone?")
        assert json.loads(await asyncio.to_thread(room.recv, 5))["message"] == "Anyone?"
    site.admin.post("/notifications/test/")
    assert json.loads(await asyncio.to_thread(notifications.recv, 5))["type"] == "notification"


async def test_c12_sockets_outlive_a_restart_of_redis(site, valkey):
    """While it is away they stay; when it is back their clients come back, too, for what they missed.

    The last test, since it takes away what the others need. Without Redis there is nothing to restart.
    """
    room = site.new_room()
    people = ((site.student, room), (site.mentor, room), (site.mentor, NOTIFICATIONS))
    async with AsyncExitStack() as stack:
        sockets = [await come_in(stack, *person) for person in people]
        if site.has_redis:
            valkey.kill()
            try:
                await until(lambda: site.health().status_code == 503, 10)
                for socket in sockets:
                    await socket.ping()
            finally:
                valkey.start()
            code = 4012 if site.variant["server"] == "daphne" else 1012
            assert {await socket.closed(within=15) for socket in sockets} == {code}
            assert all(socket.unread[-1]["type"] == "reconnect" for socket in sockets)
            await until(site.is_healthy_again, 15)
            sockets = [await come_in(stack, *person) for person in people]
        student, mentor, notified = sockets
        assert (await student.request("chat_message", message="Back?"))["ok"]
        assert (await mentor.frame("chat_message"))["message"] == "Back?"
        site.mentor.post("/notifications/test/")
        await notified.frame("notification")


async def come_in(stack, person, path):
    """Open a socket, at the second or third try if the server is not ready yet."""
    for _ in range(5):
        socket = await stack.enter_async_context(person.open(path))
        with suppress(ConnectionClosed):
            await socket.frame("connection_established")
            return socket
        await asyncio.sleep(0.5)
    raise AssertionError(f"{person.name} is not let in")
