"""Of those whose process was killed others tell, also in a call or before a door where nobody is left."""

import pytest

from rooms import presence_redis as presence
from rooms.models import Room

ROOM = "/ws/rooms/interview/"
BEFORE = "redis.call('ZADD', KEYS[1], 1, ARGV[2])"  # enter, long ago


@pytest.fixture
def room(transactional_db, mentor):
    return Room.objects.create(slug="interview", name="Interview", host=mentor, waits=True)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(presence, "CONFIRM_SECONDS", 0.1)


async def test_who_was_killed_leaves_the_call(connect, room, mentor):
    gone = '{"id":0,"username":"gone"}'
    host = await connect(ROOM, mentor)
    assert await host.receive("waiting") == {"type": "waiting", "users": []}
    for group in (room.group, f"{room.group}.call", f"{room.group}.waiting"):
        await presence._run(BEFORE, group, f"a-socket 0 {gone}")
    left = {"event": "leave", "user": {"id": 0, "username": "gone"}}
    assert await host.receive("presence") == {"type": "presence"} | left
    assert await host.receive("call_presence") == {"type": "call_presence"} | left
    assert await host.receive("waiting") == {"type": "waiting", "users": []}


async def test_redis_that_is_away(connect, room, mentor, monkeypatch):
    """The call is not joined, and nothing of the attempt stays."""
    host = await connect(ROOM, mentor)
    ask = presence.ask

    async def late(*arguments):
        await ask(*arguments)
        raise ConnectionError("no answer in time")

    with monkeypatch.context() as patch:
        patch.setattr(presence, "ask", late)
        await host.send("call_join", session="one", id=1)
        assert (await host.receive("error"))["code"] == "away"
        assert (await host.request("ping"))["ok"]
    assert (await connect(ROOM, mentor)).hello["call"] == []
    await host.request("call_join", session="one")
