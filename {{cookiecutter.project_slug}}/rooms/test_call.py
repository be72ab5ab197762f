import asyncio
import base64
import hashlib
import hmac
import time

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from realtime.codes import NOT_ALLOWED, NOT_FOUND
from rooms import call, presence
from rooms.ice import ice_servers
from rooms.models import Room

ROOM = "/ws/rooms/interview/"


@pytest.fixture
def room(transactional_db, mentor):
    return Room.objects.create(slug="interview", name="Interview", host=mentor)


def who(user):
    return {"id": user.pk, "username": user.username}


def call_presence(event, user):
    return {"type": "call_presence", "event": event, "user": who(user)}


async def fails(socket, code, type, **fields):
    await socket.send(type, **fields)
    assert (await socket.receive("error", "reply"))["code"] == code


async def test_a_call(connect, room, student, mentor, admin):
    host, guest = await connect(ROOM, mentor), await connect(ROOM, student)
    assert (host.hello["host"], guest.hello["host"]) == (True, False)
    assert host.hello["call"] == guest.hello["call"] == []

    reply = await host.request("call_join", session="one")
    assert reply == {"type": "reply", "id": 1, "ok": True, "participants": [], "ice_servers": []}
    assert await guest.receive("call_presence") == call_presence("join", mentor)
    assert (await guest.request("call_join", session="two"))["participants"] == [who(mentor)]
    heard = [await host.receive("call_presence") for _ in range(2)]
    assert heard == [call_presence("join", mentor), call_presence("join", student)]

    late = await connect(ROOM, admin)
    assert late.hello["call"] == [who(mentor), who(student)]
    await guest.request("call_leave")
    await guest.request("call_leave")
    assert await late.receive("call_presence") == call_presence("leave", student)
    await host.disconnect()
    assert await late.receive("call_presence") == call_presence("leave", mentor)
    assert await late.receive("presence") == {"type": "presence", "event": "leave", "user": who(mentor)}
    assert late.unread == []


async def test_there_are_six_in_a_call(connect, room, mentor):
    users = [await sync_to_async(User.objects.create_user)(f"user{n}") for n in range(call.MAX_IN_CALL + 1)]
    *sockets, late = [await connect(ROOM, user) for user in users]
    await asyncio.gather(*(socket.request("call_join", session="any") for socket in sockets))
    await fails(late, "call_full", "call_join", session="late")
    assert (await late.request("call_leave"))["ok"]
    assert len((await connect(ROOM, mentor)).hello["call"]) == call.MAX_IN_CALL
    again = await connect(ROOM, users[0])  # is in it already, in another tab
    assert len((await again.request("call_join", session="again"))["participants"]) == call.MAX_IN_CALL - 1
    await again.request("call_leave")
    assert (await late.receive("call_presence"))["event"] == "join"
    while (await late.receive("call_presence")) != call_presence("leave", users[0]):
        pass
    await late.request("call_join", session="late")


async def test_of_those_who_come_at_once_six_get_in(connect, room):
    users = [await sync_to_async(User.objects.create_user)(f"user{n}") for n in range(10)]
    sockets = [await connect(ROOM, user) for user in users]
    for socket in sockets:
        await socket.send("call_join", id=1, session="any")
    answers = [(await socket.receive("reply", "error"))["type"] for socket in sockets]
    assert answers.count("reply") == call.MAX_IN_CALL


async def test_a_call_moves_to_another_tab(connect, room, student, mentor):
    witness, one, two = [await connect(ROOM, user) for user in (mentor, student, student)]
    await one.request("call_join", session="one")
    assert (await two.request("call_join", session="two"))["participants"] == []
    assert await one.receive("call_moved") == {"type": "call_moved", "session": "two"}
    assert (await one.request("call_leave"))["ok"]
    await one.disconnect()
    await two.disconnect()
    assert [(await witness.receive("call_presence"))["event"] for _ in range(2)] == ["join", "leave"]


async def test_a_tab_may_join_again_and_forget_what_was(connect, room, student):
    tab = await connect(ROOM, student)
    for frame in ("call_join", "call_leave", "call_join", "call_join"):
        await tab.request(frame, **({"session": "mine"} if frame == "call_join" else {}))
    events = [(await tab.receive("call_presence"))["event"] for _ in range(3)]
    assert events == ["join", "leave", "join"]
    await tab.request("chat_message", message="after all that")
    await tab.receive("chat_message")
    assert not [frame for frame in tab.unread if frame["type"].startswith("call_")]


async def test_of_two_tabs_that_join_at_once_one_stays(connect, room, student, mentor):
    tabs = [await connect(ROOM, student) for _ in range(2)]
    await asyncio.gather(*(tab.request("call_join", session=f"tab{n}") for n, tab in enumerate(tabs)))
    witness = await connect(ROOM, mentor)
    await witness.request("chat_message", message="after all that")
    for tab in tabs:
        await tab.receive("chat_message")
        await tab.request("ping")
    assert [frame["type"] for tab in tabs for frame in tab.unread].count("call_moved") == 1
    assert (await connect(ROOM, mentor)).hello["call"] == [who(student)]


async def test_only_the_host_ends_a_call_for_all(connect, room, student, mentor, admin):
    host, guest, tab = [await connect(ROOM, user) for user in (mentor, student, mentor)]
    await guest.request("call_join", session="one")
    await fails(guest, "not_allowed", "call_end")
    await host.request("call_join", session="two")
    await tab.request("call_end")
    for socket in (host, guest, tab):
        assert await socket.receive("call_ended") == {"type": "call_ended"}
    assert (await connect(ROOM, admin)).hello["call"] == []
    await guest.request("call_join", session="three")  # a new one
    await sync_to_async(Room.objects.update)(host=None)
    await fails(host, "not_allowed", "call_end")


async def test_who_joins_while_the_call_ends_is_in_it_or_knows(connect, room, student, mentor, admin):
    host, guest = await connect(ROOM, mentor), await connect(ROOM, student)
    await asyncio.gather(host.request("call_end"), guest.request("call_join", session="one"))
    await guest.receive("call_ended")
    in_call = (await connect(ROOM, admin)).hello["call"]
    assert in_call in ([], [who(student)])
    events = ["join"] if in_call else ["join", "leave"]
    assert [(await guest.receive("call_presence"))["event"] for _ in events] == events
    assert (await guest.request("ping"))["ok"]
    assert not [frame for frame in guest.unread if frame["type"] == "call_presence"]


async def test_who_may_not_be_in_the_room_leaves_its_call(connect, room, student, mentor, admin):
    room.is_open = False
    await room.asave()
    await sync_to_async(room.members.set)([student, admin])
    leaves, stays = await connect(ROOM, student), await connect(ROOM, admin)
    await leaves.request("call_join", session="one")
    await stays.request("call_join", session="two")
    await sync_to_async(room.members.remove)(student)
    assert await leaves.close_code() == NOT_ALLOWED
    while (await stays.receive("call_presence")) != call_presence("leave", student):
        pass
    await sync_to_async(room.delete)()
    assert await stays.close_code() == NOT_FOUND


async def test_presence_that_cannot_be_asked(connect, room, student, monkeypatch):
    socket = await connect(ROOM, student)

    async def away(*arguments):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(presence, "enter", away)
        await fails(socket, "away", "call_join", session="one")
    assert (await socket.request("call_join", session="two"))["participants"] == []


@pytest.mark.parametrize("session", [None, "", "x" * 65, 5])
async def test_a_session_is_a_short_text(connect, room, student, session):
    socket = await connect(ROOM, student)
    await fails(socket, "invalid_message", "call_join", session=session)
    await fails(socket, "invalid_message", "call_join")


def test_names_and_passwords_for_turn(settings):
    """Checked as coturn does it: the name says until when it holds, and is signed with the secret."""
    settings.ICE_SERVERS = ["stun:turn.example.com", "turns:turn.example.com:443?transport=tcp"]
    settings.TURN_SECRET = "a-secret-of-32-or-more-characters"
    stun, turn = ice_servers(5)
    assert stun == {"urls": "stun:turn.example.com"}
    until, _, user = turn["username"].partition(":")
    assert (user, int(until) - int(time.time())) in {("5", 3600), ("5", 3599)}
    signature = hmac.new(settings.TURN_SECRET.encode(), turn["username"].encode(), hashlib.sha1)
    assert base64.b64decode(turn["credential"]) == signature.digest()
