import asyncio

import pytest
from asgiref.sync import sync_to_async

from realtime import connection, history, outbox
from realtime.codes import NOT_ALLOWED, NOT_AUTHENTICATED, NOT_FOUND
from realtime.frames import UserInfo
from realtime.history import History
from rooms import presence
from rooms.consumers import RoomConsumer
from rooms.demo import LOADTEST_ROOMS, set_up_loadtest
from rooms.models import Message, Room

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


async def test_all_guests_are_present_as_one():
    guest = UserInfo(None, "")
    assert [await presence.enter("hall", socket, guest) for socket in ("one", "two")] == [True, False]
    assert await presence.present("hall") == [guest]
    assert [await presence.leave("hall", socket, guest) for socket in ("one", "two")] == [False, True]
    assert not await presence.is_present("hall", None)


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


async def test_who_missed_too_much_is_told(connect, lobby, student, mentor, monkeypatch):
    monkeypatch.setattr(history, "LIMIT", 60)
    messages = [await sync_to_async(lobby.post)(mentor, str(n)) for n in range(100)]
    socket = await connect(f"{LOBBY}?since={messages[9].pk}", student)
    assert await socket.receive("gap") == {
        "type": "gap",
        "asked": messages[9].pk,
        "resumed": messages[39].pk,
    }
    caught_up = [(await socket.receive("chat_message"))["message_id"] for _ in range(60)]
    assert caught_up == [message.pk for message in messages[40:]]
    assert (await socket.request("ping"))["ok"]
    socket.unread.remove({"type": "pong"})
    assert socket.unread == []


async def test_who_is_ahead_of_the_room_gets_what_is_new(connect, lobby, student):
    """Its ids are from before the database was restored."""
    newest = (await sync_to_async(lobby.post)(student, "before")).pk
    socket = await connect(f"{LOBBY}?since=999999", student)
    assert await socket.receive("gap") == {"type": "gap", "asked": 999999, "resumed": newest}
    await socket.request("chat_message", message="after")
    assert (await socket.receive("chat_message"))["message"] == "after"


async def test_a_message_that_is_sent_again_is_posted_once(connect, lobby, student, mentor):
    one, two = await connect(LOBBY, student), await connect(LOBBY, mentor)
    replies = [await one.request("chat_message", message="Hello", idempotency_key="a-key") for _ in range(2)]
    assert replies[0]["message_id"] == replies[1]["message_id"]
    await two.request("chat_message", message="Mine", idempotency_key="a-key")
    assert [(await two.receive("chat_message"))["message"] for _ in range(2)] == ["Hello", "Mine"]
    assert await lobby.messages.acount() == 2


async def test_a_nul_character_is_replaced(connect, lobby, student):
    socket = await connect(LOBBY, student)
    for _ in range(2):
        assert (await socket.request("chat_message", message="a\0b", idempotency_key="\0"))["ok"]
    assert (await socket.receive("chat_message"))["message"] == "a\N{REPLACEMENT CHARACTER}b"
    assert await lobby.messages.acount() == 1


async def test_a_client_that_has_left_is_not_caught_up(connect, lobby, student, mentor, monkeypatch):
    """Nor is it waited for."""
    pages = []
    read = History._page

    def count(self, *arguments):
        pages.append(arguments)
        return read(self, *arguments)

    monkeypatch.setattr(History, "_page", count)
    messages = [Message(room=lobby, author=mentor, body=str(n)) for n in range(200)]
    await Message.objects.abulk_create(messages)
    monkeypatch.setattr(outbox, "PATIENCE", 0.1)
    monkeypatch.setattr(connection, "DROP_SECONDS", 0.1)
    deaf = await connect(f"{LOBBY}?since=0", student, buffer=5)
    await deaf.wait(5)
    assert len(pages) < 5


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


async def test_only_who_may_be_put_out_asks_again(connect, closed_room, student, mentor, monkeypatch):
    asked = []
    changed = RoomConsumer.room_changed

    async def note(self, event):
        asked.append(self.user.username)
        await changed(self, event)

    monkeypatch.setattr(RoomConsumer, "room_changed", note)
    await sync_to_async(closed_room.members.add)(student)
    sockets = [await connect("/ws/rooms/closed/", user) for user in (student, mentor)]
    await sync_to_async(student.rooms.clear)()
    assert await sockets[0].close_code() == NOT_ALLOWED
    await sync_to_async(closed_room.members.add)(student)
    closed_room.name = "Another name"
    closed_room.is_open = True
    await closed_room.asave()
    assert (await sockets[1].request("ping"))["ok"]
    assert asked == ["student"]


def test_rooms_for_load_tests_are_for_their_users_alone(lobby, student, mentor):
    set_up_loadtest([student])
    slug = LOADTEST_ROOMS[-1]
    assert Room.objects.for_user(student).get(slug=slug).admits_user
    assert not Room.objects.for_user(mentor).get(slug=slug).admits_user
    set_up_loadtest([student, mentor])
    assert Room.objects.for_user(mentor).get(slug=slug).admits_user
    set_up_loadtest([])
    assert Room.objects.get() == lobby
