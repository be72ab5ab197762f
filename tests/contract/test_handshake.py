"""C1, C2, C14: health, and who is let in."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import InvalidStatus

from client import address, talk
from conversation import NOTIFICATIONS, ROOM


def test_c01_health_names_what_it_checked(site):
    answer = site.health()
    assert answer.status_code == 200
    told = answer.json() | {"warnings": []}  # this machine may be busy
    told["checks"].pop("dynamodb", "")  # which is not there, and is not needed
    assert told == {
        "status": "healthy",
        "container_type": "asgi",
        "async_enabled": True,
        "checks": {"database": "ok", "cache": "ok", "channels": "ok"},
        "warnings": [],
    }


async def test_c02_only_those_who_prove_who_they_are_come_in(site):
    """A refusal is a close with 4401 after accept, which a browser can read; a foreign page gets a 403."""
    student, url = site.student, site.url
    refused = [{"uri": address(url, NOTIFICATIONS), "origin": url}]
    refused += [{"uri": address(url, NOTIFICATIONS, ticket="made-up"), "origin": url}]
    refused += [refused[0] | {"additional_headers": {"Cookie": "sessionid=madeup"}}]
    refused += [refused[0] | {"subprotocols": ["bearer", "made.up.token"]}]
    used = student.address(NOTIFICATIONS, by="ticket")
    welcome = [used, student.address(NOTIFICATIONS, by="ticket", origin=None)]
    with_cookie = student.address(NOTIFICATIONS, by="session")
    if site.has_sessions:
        welcome += [with_cookie]
        refused += [student.address(NOTIFICATIONS, by="session", origin=None)]
    else:
        refused += [with_cookie]
    if site.has_tokens:
        token = student.tokens["access"]
        welcome += [student.address(NOTIFICATIONS, by="jwt", origin=origin) for origin in (url, None)]
        refused += [{"uri": address(url, NOTIFICATIONS, token=token), "origin": url}]
        refused += [refused[0] | {"subprotocols": ["bearer", token[:-4] + "AAAA"]}]
        refused += [refused[0] | {"subprotocols": ["bearer", student.tokens["refresh"]]}]

    for arguments in welcome:
        async with talk(**arguments) as socket:
            assert (await socket.frame())["type"] == "connection_established", arguments
            assert socket.socket.subprotocol == ("bearer" if "subprotocols" in arguments else None)
    for arguments in (*refused, used):
        async with talk(**arguments) as socket:
            assert await socket.closed() == 4401, arguments
            assert not socket.unread
    for arguments in welcome:
        with pytest.raises(InvalidStatus) as refusal:
            async with talk(**arguments | {"origin": "https://elsewhere.example"}):
                pass
        assert refusal.value.response.status_code == 403
    for path, code in ((ROOM.format("no-such-room"), 4404), ("/ws/nowhere/", 4404)):
        async with student.open(path) as socket:
            assert await socket.closed() == code


@pytest.mark.covering
async def test_c14_500_handshakes_at_once_succeed(site):
    room = site.new_room()
    arguments = [site.student.address(room), site.mentor.address(room)]
    async with AsyncExitStack() as stack:
        entered = (stack.enter_async_context(talk(**arguments[number % 2])) for number in range(500))
        sockets = await asyncio.gather(*entered)
        first = await asyncio.gather(*(socket.frame("connection_established", 30) for socket in sockets))
        assert len({frame["user"]["id"] for frame in first}) == 2
        await sockets[0].request("chat_message", message="All here?")
        said = await asyncio.gather(*(socket.frame("chat_message") for socket in sockets))
        assert {frame["message"] for frame in said} == {"All here?"}
