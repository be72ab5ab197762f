from asgiref.sync import sync_to_async
from django.db import transaction

from notifications.models import Notification
from notifications.notify import anotify_user, notify_user
from realtime import history

PATH = "/ws/notifications/"


async def test_a_notification_is_stored_then_pushed(connect, student, mentor):
    tabs = [await connect(PATH, student) for _ in range(2)]
    other = await connect(PATH, mentor)
    assert tabs[0].hello["unread"] == 0
    stored = await anotify_user(student.pk, "grade_received", {"points": 9})
    for tab in tabs:
        frame = await tab.receive("notification")
        assert (frame["notification_id"], frame["kind"]) == (stored.pk, "grade_received")
        assert (frame["data"], frame["read"]) == ({"points": 9}, False)
    await anotify_user(mentor.pk, "other")
    assert (await other.receive("notification"))["kind"] == "other"


async def test_nothing_is_pushed_before_the_commit(connect, student):
    socket = await connect(PATH, student)

    def notify():
        with transaction.atomic():
            notify_user(student.pk, "undone")
            transaction.set_rollback(True)
        with transaction.atomic():
            notify_user(student.pk, "done")

    await sync_to_async(notify)()
    assert (await socket.receive("notification"))["kind"] == "done"
    assert (await Notification.objects.aget()).kind == "done"


async def test_unread_ones_come_on_connect_or_all_since_one(connect, student):
    one, two, three = [await anotify_user(student.pk, "news") for _ in range(3)]
    socket = await connect(PATH, student)
    assert (socket.hello["unread"], socket.hello["newest"]) == (3, three.pk)
    await socket.request("mark_read", notification_id=two.pk)

    async def ids(path, count):
        socket = await connect(path, student)
        return [(await socket.receive("notification"))["notification_id"] for _ in range(count)]

    assert await ids(PATH, 2) == [one.pk, three.pk]
    assert await ids(f"{PATH}?since={one.pk}", 2) == [two.pk, three.pk]


async def test_notifications_come_in_pages(connect, student, monkeypatch):
    monkeypatch.setattr(history, "LIMIT", 70)
    stored = [await anotify_user(student.pk, "news") for _ in range(100)]
    socket = await connect(PATH, student)
    assert socket.hello["unread"] == 100
    for path, expected in ((PATH, stored[30:]), (f"{PATH}?since={stored[49].pk}", stored[50:])):
        socket = await connect(path, student)
        ids = [(await socket.receive("notification"))["notification_id"] for _ in expected]
        assert ids == [notification.pk for notification in expected]
        await anotify_user(student.pk, "last")
        assert (await socket.receive("notification"))["kind"] == "last"


async def test_mark_read(connect, student, mentor):
    own, foreign = await anotify_user(student.pk, "own"), await anotify_user(mentor.pk, "foreign")
    socket, other_tab = [await connect(PATH, student) for _ in range(2)]
    assert (await socket.request("mark_read", notification_id=own.pk))["ok"]
    assert (await other_tab.receive("notification_read"))["notification_id"] == own.pk
    assert (await socket.request("mark_read", notification_id=own.pk))["ok"]  # which is no news to others
    await anotify_user(student.pk, "next")
    assert (await other_tab.receive("notification", "notification_read"))["type"] == "notification"
    await own.arefresh_from_db()
    assert own.read_at
    await socket.send("mark_read", notification_id=foreign.pk)
    assert (await socket.receive("error"))["code"] == "not_found"
