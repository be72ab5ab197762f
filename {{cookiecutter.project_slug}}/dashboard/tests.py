import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import OperationalError, transaction

from accounts.mentors import make_mentor
from dashboard import figures, models
from dashboard.consumers import DashboardConsumer
from dashboard.frames import DashboardSnapshot, FiguresChanged
from dashboard.models import Event
from dashboard.notify import GROUP, anotify_dashboard, notify_dashboard
from realtime.cache import cache
from realtime.hub import get_hub
from realtime.publish import apublish

PATH = "/ws/dashboard/"
OTHER = "another process"


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """No lease of an earlier test, and no long pauses."""
    cache.delete_many([figures.LEASE, figures.LATEST])
    monkeypatch.setattr(figures, "PAUSE_SECONDS", 0.02)


@pytest.fixture
def turns(monkeypatch):
    """Return a function that waits until this process has asked for the lease three more times."""
    begin, begun = figures.begin, []

    def counted(owner, seconds):
        begun.append(owner)
        return begin(owner, seconds)

    async def turns():
        enough = len(begun) + 3
        await until(lambda: len(begun) >= enough)

    monkeypatch.setattr(figures, "begin", counted)
    return turns


@pytest.fixture
def mentor(mentor):
    make_mentor(mentor)
    return mentor


async def until(condition):
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not so within 5 s")


async def figure(socket, name, value):
    """Wait until a figure is told to have this value."""
    while (await socket.receive("figures", "dashboard_snapshot"))["figures"].get(name) != value:
        pass


# Who may


async def test_it_is_for_admins_and_mentors(connect, admin, mentor, student):
    assert (await connect(PATH, student)).code == 4403
    assert (await connect(PATH)).code == 4401
    for user in (admin, mentor):
        socket = await connect(PATH, user)
        assert (await socket.receive("dashboard_snapshot"))["recent"] == []
    await sync_to_async(mentor.groups.clear)()
    assert await socket.close_code() == 4401
    assert (await connect(PATH, mentor)).code == 4403


@pytest.mark.parametrize(("type", "code"), [("dashboard_event", "unknown_type"), (7, "invalid_message")])
async def test_it_takes_no_frames(connect, admin, type, code):
    socket = await connect(PATH, admin)
    await socket.send(type, id=1)
    assert (await socket.receive("error"))["code"] == code
    await socket.request("ping")


# Events


async def test_an_event_is_stored_and_sent_to_all(connect, admin, mentor):
    sockets = [await connect(PATH, user) for user in (admin, mentor)]
    stored = await anotify_dashboard("submission_created", {"submission_id": 7})
    for socket in sockets:
        frame = await socket.receive("dashboard_event")
        assert (frame["event_id"], frame["kind"]) == (stored.pk, "submission_created")
        assert frame["data"] == {"submission_id": 7}


async def test_one_that_is_rolled_back_is_not_sent(connect, admin):
    socket = await connect(PATH, admin)

    def notify():
        with transaction.atomic():
            notify_dashboard("undone")
            transaction.set_rollback(True)
        with transaction.atomic():
            notify_dashboard("done")
            assert not Event.objects.exists()

    await sync_to_async(notify)()
    assert (await socket.receive("dashboard_event"))["kind"] == "done"
    assert (await Event.objects.aget()).kind == "done"


@pytest.mark.parametrize(("kind", "data"), [("no slug", {}), ("x" * 51, {}), ("", {}), ("set", {"a": {1}})])
async def test_what_is_no_event_is_refused(transactional_db, kind, data):
    with pytest.raises(ValidationError):
        await sync_to_async(notify_dashboard)(kind, data)
    with pytest.raises(ValidationError):
        await anotify_dashboard(kind, data)
    assert not await Event.objects.aexists()


def test_one_that_cannot_be_stored_harms_nobody(transactional_db, monkeypatch, caplog):
    def fail(*event):
        raise OperationalError("the disk is full")

    monkeypatch.setattr(Event.objects, "store", fail)
    notify_dashboard("news")
    with transaction.atomic():
        notify_dashboard("news")
    assert caplog.text.count("OperationalError: the disk is full") == 2


async def test_the_newest_come_first_or_all_since_one(connect, admin):
    stored = [await anotify_dashboard("news") for _ in range(52)]
    recent = (await (await connect(PATH, admin)).receive("dashboard_snapshot"))["recent"]
    assert [event["event_id"] for event in recent] == [event.pk for event in stored[2:]]
    socket = await connect(f"{PATH}?since={stored[49].pk}", admin)
    assert [(await socket.receive("dashboard_event"))["event_id"] for _ in "ab"] == [
        event.pk for event in stored[50:]
    ]
    last = await anotify_dashboard("last")
    assert (await socket.receive("dashboard_event"))["event_id"] == last.pk


async def test_old_ones_go(transactional_db, monkeypatch):
    monkeypatch.setattr(models, "KEPT", 3)
    stored = [await anotify_dashboard("news") for _ in range(5)]
    assert [event.pk async for event in Event.objects.all()] == [event.pk for event in stored[2:]]


# Figures


async def test_only_figures_that_have_changed_are_sent(connect, admin, student):
    socket = await connect(PATH, admin)
    await figure(socket, "sockets", 1)
    await connect("/ws/sample/", student)
    while "sockets" not in (changed := (await socket.receive("figures"))["figures"]):
        pass
    assert (changed["sockets"], changed["users_online"]) == (2, 2)
    assert "processes" not in changed
    late = await connect(PATH, admin)
    snapshot = (await late.receive("dashboard_snapshot"))["figures"]
    assert snapshot["processes"] == 1
    assert snapshot["users"] == 2


async def test_another_process_that_has_the_lease_computes(connect, admin, turns):
    cache.set(figures.LEASE, OTHER)
    cache.set(figures.LATEST, {"sockets": 41})
    socket = await connect(PATH, admin)
    assert (await socket.receive("dashboard_snapshot"))["figures"] == {"sockets": 41}
    await turns()
    await socket.request("ping")
    assert "figures" not in [frame["type"] for frame in socket.unread]
    cache.delete(figures.LEASE)  # as when it died, a few seconds later
    await figure(socket, "sockets", 1)


async def test_figures_that_change_while_one_comes_follow_the_snapshot(connect, admin, monkeypatch):
    async def snapshot(self):
        await apublish(GROUP, FiguresChanged(figures={"sockets": 2}))
        await until(lambda: len(self.outbox))
        return DashboardSnapshot(figures={"sockets": 1}, recent=[])

    monkeypatch.setattr(DashboardConsumer, "snapshot", snapshot)
    cache.set(figures.LEASE, OTHER)
    socket = await connect(PATH, admin)
    for type, number in (("dashboard_snapshot", 1), ("figures", 2)):
        frame = await socket.receive()
        assert (frame["type"], frame["figures"]) == (type, {"sockets": number})


async def test_it_ends_with_the_last_who_watches(connect, admin):
    sockets = [await connect(PATH, admin) for _ in range(2)]
    await figure(sockets[0], "sockets", 2)
    await sockets[0].disconnect()
    await figure(sockets[1], "sockets", 1)
    await sockets[1].disconnect()
    await until(lambda: figures.watchers()._task.done())
    assert cache.get(figures.LEASE) is None
    await figure(await connect(PATH, admin), "sockets", 1)


async def test_it_goes_on_after_errors(connect, admin, turns, monkeypatch, caplog):
    def fail():
        raise RuntimeError("on purpose")

    monkeypatch.setattr(figures, "of_apps", fail)
    socket = await connect(PATH, admin)
    await until(lambda: "on purpose" in caplog.text)
    await turns()
    assert caplog.text.count("the dashboard has no new figures") == 1
    monkeypatch.setattr(figures, "of_apps", lambda: {"answers": 42})
    await figure(socket, "answers", 42)


async def test_what_the_cache_has_lost_is_sent_again(connect, admin):
    socket = await connect(PATH, admin)
    await figure(socket, "sockets", 1)
    cache.delete(figures.LATEST)
    await figure(socket, "sockets", 1)


async def test_while_the_layer_is_away_those_of_apps_are_counted(connect, admin, monkeypatch):
    socket = await connect(PATH, admin)
    await figure(socket, "sockets", 1)

    async def away():
        raise ConnectionError

    monkeypatch.setattr(get_hub().processes, "figures_of_all", away)
    monkeypatch.setattr(figures, "of_apps", lambda: {"answers": 42})
    await figure(socket, "answers", 42)
