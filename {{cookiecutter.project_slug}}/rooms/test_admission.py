import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError
from django.utils import timezone

from realtime.codes import NOT_ALLOWED, NOT_FOUND, SERVICE_RESTART
from rooms import admission
from rooms.consumers import RoomConsumer
from rooms.models import Room

ROOM = "/ws/rooms/interview/"


@pytest.fixture
def room(transactional_db, mentor):
    return Room.objects.create(slug="interview", name="Interview", host=mentor, waits=True)


def who(user):
    return {"id": user.pk, "username": user.username}


async def change(room, **fields):
    for name, value in fields.items():
        setattr(room, name, value)
    await room.asave()


async def fails(socket, code, type, **fields):
    await socket.send(type, **fields)
    assert (await socket.receive("error", "reply"))["code"] == code


async def waiting(host):
    return (await host.receive("waiting"))["users"]


async def test_who_waits_is_admitted_and_does_not_wait_again(connect, room, student, mentor):
    host = await connect(ROOM, mentor)
    assert (host.hello["host"], host.hello["waiting"], await waiting(host)) == (True, False, [])
    guest = await connect(ROOM, student)
    assert (guest.hello["waiting"], guest.hello["present"], guest.hello["call"]) == (True, [], [])
    assert await waiting(host) == [who(student)]
    await host.request("chat_message", message="Not for those outside")

    await host.request("admit", user_id=student.pk)
    assert await guest.receive() == {"type": "admitted"}
    assert (await guest.receive())["type"] == "reconnect"
    assert await guest.close_code() == SERVICE_RESTART
    assert await waiting(host) == []
    inside = await connect(ROOM, student)
    assert (inside.hello["waiting"], inside.hello["present"]) == (False, [who(mentor), who(student)])
    await fails(host, "not_found", "admit", user_id=student.pk)

    await sync_to_async(room.admissions.all().delete)()
    assert await inside.close_code() == SERVICE_RESTART
    assert (await connect(ROOM, student)).hello["waiting"]


async def test_who_waits_may_do_nothing(connect, room, student, mentor):
    host, guest = await connect(ROOM, mentor), await connect(ROOM, student)
    for type, fields in {
        "chat_message": {"message": "Hello"},
        "typing": {},
        "webrtc_signal": {"signal": {}},
        "call_join": {"session": "one"},
        "call_leave": {},
        "call_end": {},
        "admit": {"user_id": student.pk},
        "refuse": {"user_id": student.pk},
    }.items():
        await fails(guest, "not_allowed", type, **fields)
    await fails(host, "not_found", "webrtc_signal", to=student.pk, signal={})
    assert (await guest.request("ping"))["ok"]
    assert await room.messages.acount() == 0
    assert {frame["type"] for frame in host.unread} == {"waiting"}


async def test_who_is_refused_is_sent_away(connect, room, student, mentor, admin):
    tabs = [await connect(ROOM, student) for _ in range(2)]
    other = await connect(ROOM, admin)
    hosts = [await connect(ROOM, mentor) for _ in range(2)]
    for host in hosts:
        assert await waiting(host) == [who(student), who(admin)]
    await hosts[1].request("refuse", user_id=student.pk)
    assert [await tab.close_code() for tab in tabs] == [NOT_ALLOWED] * 2
    for host in hosts:
        assert await waiting(host) == [who(admin)]
    await fails(hosts[0], "not_found", "refuse", user_id=student.pk)
    await other.disconnect()
    assert await waiting(hosts[0]) == []


async def test_only_the_host_opens_the_door(connect, room, student, mentor, admin):
    await sync_to_async(room.admit)(student.pk)
    guest, _ = await connect(ROOM, student), await connect(ROOM, admin)
    await fails(guest, "not_allowed", "admit", user_id=admin.pk)
    await fails(guest, "not_allowed", "refuse", user_id=admin.pk)
    await fails(guest, "invalid_message", "admit", user_id="admin")
    assert not await sync_to_async(room.admit)(0)


async def test_nobody_waits_when_there_is_no_need_to(connect, room, student, mentor):
    guest = await connect(ROOM, student)
    await change(room, waits=False)
    assert await guest.receive() == {"type": "admitted"}
    assert not (await connect(ROOM, student)).hello["waiting"]
    await change(room, waits=True, host=None)  # nobody could admit them
    assert not (await connect(ROOM, student)).hello["waiting"]


async def test_nobody_waits_for_a_host_who_is_gone(connect, room, student, mentor):
    guest = await connect(ROOM, student)
    await sync_to_async(mentor.delete)()
    assert await guest.receive() == {"type": "admitted"}
    assert await guest.close_code() == SERVICE_RESTART


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ({"waits": False}, {"is_open": False}, NOT_ALLOWED),
        ({"waits": False}, {"waits": True}, SERVICE_RESTART),
        ({"waits": True}, {"waits": False}, SERVICE_RESTART),
    ],
)
async def test_what_changes_while_one_comes_in(connect, room, student, monkeypatch, before, after, code):
    """A socket that is not in the group yet does not hear of it."""
    await change(room, **before)
    join = RoomConsumer.join

    async def change_first(self, *group):
        await change(room, **after)
        await join(self, *group)

    monkeypatch.setattr(RoomConsumer, "join", change_first)
    assert (await connect(ROOM, student)).code == code


async def test_the_door_knows_who_may_come(connect, room, student, mentor):
    guest = await connect(ROOM, student)
    await change(room, is_open=False)
    assert await guest.close_code() == NOT_ALLOWED
    assert (await connect(ROOM, student)).code == NOT_ALLOWED
    assert (await connect(ROOM, mentor)).hello["host"]
    await change(room, is_open=True)
    guest = await connect(ROOM, student)
    await sync_to_async(room.delete)()
    assert await guest.close_code() == NOT_FOUND


async def test_a_new_host_comes_back_as_host(connect, room, student, mentor):
    await sync_to_async(room.admit)(student.pk)
    old, new = await connect(ROOM, mentor), await connect(ROOM, student)
    await change(room, host=student)
    assert [await socket.close_code() for socket in (old, new)] == [SERVICE_RESTART] * 2
    assert (await connect(ROOM, mentor)).hello["waiting"]
    host = await connect(ROOM, student)
    assert (host.hello["host"], await waiting(host)) == (True, [who(mentor)])


async def test_a_room_has_a_beginning_and_an_end(connect, room, student, mentor):
    now = timezone.now()
    await change(room, waits=False, starts_at=now + timedelta(hours=1))
    assert (await connect(ROOM, mentor)).code == NOT_ALLOWED
    await change(room, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(seconds=0.5))
    inside = [await connect(ROOM, user) for user in (student, mentor)]
    assert [await socket.close_code() for socket in inside] == [NOT_ALLOWED] * 2
    assert (await connect(ROOM, student)).code == NOT_ALLOWED


async def test_an_end_that_is_moved(connect, room, student, mentor):
    end = timezone.now() + timedelta(hours=1)
    await change(room, ends_at=end)
    host, guest = await connect(ROOM, mentor), await connect(ROOM, student)
    await sync_to_async(Room.objects.update)(ends_at=end + timedelta(hours=1))
    await change(room, ends_at=timezone.now() + timedelta(seconds=0.2))
    assert [await socket.close_code() for socket in (host, guest)] == [NOT_ALLOWED] * 2
    await change(room, ends_at=None)
    assert (await connect(ROOM, mentor)).hello["host"]


async def test_an_end_that_was_put_off_closes_nothing(connect, room, mentor, monkeypatch):
    looked = asyncio.Event()
    changed = RoomConsumer.room_changed

    async def look(self, event):
        await changed(self, event)
        looked.set()

    monkeypatch.setattr(RoomConsumer, "room_changed", look)
    monkeypatch.setattr(admission, "LOOK_SECONDS", 0.1)
    end = timezone.now() + timedelta(hours=1)
    await change(room, ends_at=end)
    host = await connect(ROOM, mentor)
    await sync_to_async(Room.objects.update)(ends_at=None)  # which tells nobody
    monkeypatch.setattr(admission, "timezone", SimpleNamespace(now=lambda: end))
    await asyncio.wait_for(looked.wait(), 5)
    assert (await host.request("ping"))["ok"]


def test_an_end_comes_after_the_beginning(room):
    room.starts_at = room.ends_at = timezone.now()
    with pytest.raises(IntegrityError):
        room.save()
