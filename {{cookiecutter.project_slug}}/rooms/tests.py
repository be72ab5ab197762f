import asyncio

import pytest
from asgiref.sync import sync_to_async

from realtime.codes import NOT_ALLOWED, NOT_AUTHENTICATED, NOT_FOUND
from rooms.models import Room

LOBBY = "/ws/rooms/lobby/"


@pytest.fixture
def lobby(transactional_db):
    return Room.objects.create(slug="lobby", name="Lobby")


@pytest.fixture
def closed_room(transactional_db, mentor):
    room = Room.objects.create(slug="closed", name="For members", is_open=False)
    room.members.add(mentor)
    return room


def who(user):
    return {"id": user.pk, "username": user.username}


async def test_a_conversation(connect, lobby, student, mentor):
    one = await connect(LOBBY, student)
    assert one.hello["room_id"] == "lobby"
    assert one.hello["user"] == who(student)
    assert one.hello["present"] == [who(student)]

    two = await connect(LOBBY, mentor)
    assert two.hello["present"] == [who(student), who(mentor)]
    assert await one.receive("presence") == {"type": "presence", "event": "join", "user": who(mentor)}

    await one.send("typing")
    assert await two.receive("typing") == {"type": "typing", "active": True, "user": who(student)}

    reply = await one.request("chat_message", message="Hello")
    heard = await two.receive("chat_message")
    assert (heard["message"], heard["sender"]) == ("Hello", who(student))
    assert heard["message_id"] == reply["message_id"] == (await lobby.messages.aget()).pk
    assert await one.receive("chat_message") == heard

    await two.disconnect()
    assert await one.receive("presence") == {"type": "presence", "event": "leave", "user": who(mentor)}
    assert one.unread == []


async def test_a_signal_reaches_one_or_everyone_else(connect, lobby, student, mentor, admin):
    one, two, three = [await connect(LOBBY, user) for user in (student, mentor, admin)]
    await one.send("webrtc_signal", to=mentor.pk, signal={"sdp": "offer"})
    await one.send("webrtc_signal", signal={"sdp": "bye"})
    offer = {"type": "webrtc_signal", "from": student.pk, "signal": {"sdp": "offer"}}
    bye = {"type": "webrtc_signal", "from": student.pk, "signal": {"sdp": "bye"}}
    assert [await two.receive("webrtc_signal") for _ in range(2)] == [offer, bye]
    assert await three.receive("webrtc_signal") == bye
    await one.send("webrtc_signal", to=0, signal={})
    assert (await one.receive("error"))["code"] == "not_found"


async def test_a_user_with_two_sockets_is_present_once(connect, lobby, student, mentor):
    witness = await connect(LOBBY, mentor)
    tabs = [await connect(LOBBY, student) for _ in range(2)]
    assert tabs[1].hello["present"] == [who(mentor), who(student)]
    for tab in tabs:
        await tab.disconnect()
    await connect(LOBBY, student)
    events = [(await witness.receive("presence"))["event"] for _ in range(3)]
    assert events == ["join", "leave", "join"]


async def test_who_comes_back_gets_each_message_once_in_order(connect, lobby, student, mentor):
    talker = await connect(LOBBY, mentor)
    seen = (await talker.request("chat_message", message="seen"))["message_id"]
    for n in range(10):
        await talker.request("chat_message", message=str(n))
    late, *_ = await asyncio.gather(
        connect(f"{LOBBY}?since={seen}", student),
        *(talker.send("chat_message", message=str(n)) for n in range(10, 30)),
    )
    assert [(await late.receive("chat_message"))["message"] for _ in range(30)] == [str(n) for n in range(30)]


async def test_who_may_not_enter(connect, closed_room, student, mentor):
    path = "/ws/rooms/closed/"
    assert (await connect(path)).code == NOT_AUTHENTICATED
    assert (await connect(path, student)).code == NOT_ALLOWED
    assert (await connect("/ws/rooms/none/", student)).code == NOT_FOUND
    assert (await connect(path, mentor)).hello["user"] == who(mentor)


async def test_who_is_no_member_any_more_is_put_out(connect, closed_room, student, mentor):
    await sync_to_async(closed_room.members.add)(student)
    leaves, stays = await connect("/ws/rooms/closed/", student), await connect("/ws/rooms/closed/", mentor)
    await sync_to_async(closed_room.members.remove)(student)
    assert await leaves.close_code() == NOT_ALLOWED
    assert (await stays.request("ping"))["ok"]
    await sync_to_async(closed_room.delete)()
    assert await stays.close_code() == NOT_FOUND


def test_pages(client, lobby, closed_room, student):
    assert client.get("/rooms/").status_code == 302
    client.force_login(student)
    lobby.post(student, "What was said before")
    assert "What was said before" in client.get("/rooms/lobby/").text
    assert client.get("/rooms/closed/").status_code == 403
    assert "For members" not in client.get("/rooms/").text
    assert client.post("/rooms/", {"name": "Mine", "slug": "mine"}).url == "/rooms/mine/"
