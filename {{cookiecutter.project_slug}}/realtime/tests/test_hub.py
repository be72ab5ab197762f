"""Events on their way from a publisher to the sockets of a group."""

import asyncio
from contextvars import ContextVar

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.utils import timezone

from realtime import group, outbox, revocation, watch
from realtime.codes import NOT_AUTHENTICATED, SERVICE_RESTART, TRY_AGAIN_LATER
from realtime.events import KICK, PROBE, text_event
from realtime.hub import get_hub
from realtime.outbox import Outbox
from realtime.publish import apublish, flush, kick, publish, send_event
from realtime.tests.sample import SampleConsumer

PATH = "/ws/sample/"


class Member:
    """A member of a group that keeps what it gets."""

    def __init__(self):
        self.received = asyncio.Queue()
        self.outbox = Outbox(self.received.put, overflow=None)


async def numbers(socket, count):
    return [(await socket.receive("number"))["n"] for _ in range(count)]


async def test_sync_code_publishes_in_order(connect, student):
    socket = await connect(PATH, student)

    def count():
        for n in range(200):
            publish("sample", {"type": "number", "n": n})

    await sync_to_async(count)()
    assert await numbers(socket, 200) == list(range(200))
    assert await sync_to_async(flush)()


async def test_an_event_for_one_user_or_for_all_but_one(connect, student, mentor):
    sockets = [await connect(PATH, student), await connect(PATH, mentor)]
    await apublish("sample", {"type": "number", "n": 1}, to=student.pk)
    await apublish("sample", {"type": "number", "n": 2}, exclude=student.pk)
    await apublish("sample", {"type": "number", "n": 3})
    assert await numbers(sockets[0], 2) == [1, 3]
    assert await numbers(sockets[1], 2) == [2, 3]


async def test_a_plain_group_send_calls_the_method_it_names(connect, student, caplog):
    socket = await connect(PATH, student)
    layer = get_channel_layer()
    await layer.group_send("sample", {"type": "no.such.method"})
    await layer.group_send("sample", {"type": "sample.event", "text": "plain"})
    assert await socket.receive("event") == {"type": "event", "text": "plain"}
    assert "no.such.method" in caplog.text


async def test_a_client_that_does_not_read_harms_nobody(connect, student, mentor, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_FRAMES", 10)
    deaf = await connect(PATH, student, buffer=1)
    good = await connect(PATH, mentor)
    for n in range(100):
        await apublish("sample", {"type": "number", "n": n})
    assert await numbers(good, 100) == list(range(100))
    assert await deaf.close_code() == TRY_AGAIN_LATER


async def test_the_last_member_leaves_while_the_next_one_joins():
    own, first, gone, last = get_hub(), Member(), Member(), Member()
    own.leave(await own.join("race", first), first)
    joining = asyncio.create_task(own.join("race", gone))
    await asyncio.sleep(0)
    own.leave(own.groups["race"], gone)
    await asyncio.gather(joining, own.join("race", last))
    for n in range(3):
        await apublish("race", {"n": n})
    async with asyncio.timeout(5):
        texts = [(await last.received.get())["text"] for _ in range(3)]
    assert texts == ['{"n":0}', '{"n":1}', '{"n":2}']
    assert first.received.empty()
    assert gone.received.empty()


async def publish_in_order(*keys):
    """Publish numbers of which each is stored after the one that is one less."""
    for n in keys:
        await apublish("sample", {"type": "number", "n": n}, key=n, after=n - 1)


async def test_stored_events_arrive_in_order_and_once(connect, student):
    """Whichever process is first to publish."""
    socket = await connect(PATH, student)
    await publish_in_order(1, 3, 2, 3, 1, 5, 6, 4)
    assert await numbers(socket, 6) == [1, 2, 3, 4, 5, 6]
    await socket.send("ping")
    await socket.receive("pong")
    assert socket.unread == []


async def test_who_lacks_an_event_that_was_lost_comes_back(connect, student, mentor, monkeypatch, caplog):
    monkeypatch.setattr(group, "ORDER_SECONDS", 0.1)
    sockets = [await connect(PATH, student), await connect(PATH, mentor)]
    await publish_in_order(1, 3)
    for socket in sockets:
        assert await numbers(socket, 1) == [1]
        await socket.receive("reconnect")
        assert await socket.close_code() == SERVICE_RESTART
    assert "an event for sample did not arrive" in caplog.text


async def test_everybody_is_sent_back_only_once(connect, student):
    """Also those of whom an event that did not arrive in its turn would have been said a moment later."""
    socket = await connect(PATH, student)
    sample = get_hub().groups["sample"]
    all_arrive_at_once(*(text_event({"type": "number", "n": n}, key=n, after=n - 1) for n in (1, 3)))
    assert await numbers(socket, 1) == [1]
    assert sample.timer is not None
    get_hub().watch.reconnect_all()
    assert sample.timer is None
    await socket.receive("reconnect")
    assert await socket.close_code() == SERVICE_RESTART


async def test_who_publishes_in_vain_makes_up_for_it(connect, student, monkeypatch):
    monkeypatch.setattr("realtime.publish.PAUSE", 0.05)
    socket = await connect(PATH, student)
    layer = get_channel_layer()
    send, refuse = layer.group_send, True

    async def refuse_frames(group, event):
        if refuse and group == "sample" and event["type"] == "hub.text":
            raise ConnectionError("nobody there")
        await send(group, event)

    monkeypatch.setattr(layer, "group_send", refuse_frames)
    assert not await apublish("sample", {"type": "number", "n": 1}, key=1, after=0)
    await socket.receive("reconnect")
    assert await socket.close_code() == SERVICE_RESTART


def all_arrive_at_once(*events):
    for event in events:
        get_hub()._take(get_hub().groups["sample"], event)


async def test_what_may_be_dropped_is_dropped_when_events_wait(connect, student, monkeypatch):
    monkeypatch.setattr(group, "DROP_SECONDS", -1)
    socket = await connect(PATH, student)
    all_arrive_at_once(*(text_event({"type": "number", "n": n}, droppable=1 < n < 9) for n in range(10)))
    assert await numbers(socket, 3) == [0, 1, 9]


async def test_events_that_wait_go_out_together_and_in_order(connect, student, mentor):
    sockets = [await connect(PATH, student), await connect(PATH, mentor)]
    ways = [{}, {}, {"key": 1, "after": 0}, {"key": 2, "after": 1}, {}, {"to": student.pk}, {}]
    ways += [{"exclude": student.pk}, {}, *[{}] * 2 * group.MAX_TOGETHER]
    all_arrive_at_once(*(text_event({"type": "number", "n": n}, **way) for n, way in enumerate(ways)))
    assert await numbers(sockets[0], len(ways) - 1) == [n for n in range(len(ways)) if n != 7]
    assert await numbers(sockets[1], len(ways) - 1) == [n for n in range(len(ways)) if n != 5]


async def test_of_events_that_wait_a_member_gets_those_that_it_lacks(connect, student, mentor):
    sockets = [await connect(PATH, student), await connect(PATH, mentor)]
    (member,) = get_hub().sockets.of_user[student.pk]
    get_hub().groups["sample"].members[member] = 2
    all_arrive_at_once(
        *(text_event({"type": "number", "n": n}, key=n, after=n - 1) for n in range(1, 5)),
        text_event({"type": "number", "n": 5}),
    )
    assert await numbers(sockets[0], 3) == [3, 4, 5]
    assert await numbers(sockets[1], 5) == [1, 2, 3, 4, 5]


class Server:
    """One that can send at once, unless its client does not read."""

    def __init__(self):
        self.read, self.sent = asyncio.Event(), []

    def send_at_once(self, texts):
        if self.read.is_set():
            self.sent += texts
        return self.read.is_set()

    async def send(self, message):
        await self.read.wait()
        self.sent.append(message["text"])


async def test_what_is_sent_at_once_does_not_overtake_what_waits():
    server = Server()
    own = Outbox(server.send, overflow=None)
    own.push(("1", "2"))
    server.read.set()
    own.push(("3", "4"))
    assert server.sent == []
    async with asyncio.timeout(5):
        await own.send("5")
    own.push(("6", "7"))
    assert server.sent == [*"1234567"]
    assert own.sent == 7


async def test_too_many_events_that_wait_send_members_back(connect, student, monkeypatch):
    monkeypatch.setattr(group, "MAX_EVENTS", 5)
    socket = await connect(PATH, student)
    all_arrive_at_once(*(text_event({"type": "number", "n": n}) for n in range(10)))
    await socket.receive("reconnect")
    assert await socket.close_code() == SERVICE_RESTART


async def test_the_more_clients_come_back_the_longer_they_take():
    delays = []

    class Client:
        async def reconnect(self, after):
            delays.append(after)

    for count, seconds in ((10, 3), (2000, 10)):
        delays.clear()
        await get_hub().sockets.reconnect([Client() for _ in range(count)])
        assert len(delays) == count
        assert seconds / 10 < max(delays) <= seconds
    assert max(delays) > 3


@pytest.mark.parametrize("group", ["poll:1", "", "x" * 100, "rööm", 1])
def test_a_name_that_no_layer_takes_is_refused_at_once(group):
    for send in (publish, send_event):
        with pytest.raises(TypeError):
            send(group, {"type": "number"})


@pytest.mark.parametrize("value", [timezone.now(), {1, 2}, b"bytes", {1: "one"}, (1, 2)])
def test_an_event_that_no_layer_takes_is_refused_at_once(value):
    with pytest.raises((TypeError, ValueError)):
        send_event("sample", {"type": "sample.event", "value": value})


async def test_plain_events_are_handled_one_after_the_other(connect, student):
    socket = await connect(PATH, student)
    for n in range(3):
        await get_channel_layer().group_send("sample", {"type": "sample.slow", "n": n})
    steps = [await socket.receive("step") for _ in range(6)]
    assert [step["n"] for step in steps] == [0, 0, 1, 1, 2, 2]


async def test_each_member_handles_a_plain_event_in_its_own_context(connect, student, mentor, monkeypatch):
    """So what is logged there is told of this user, and not of the one who came first."""
    whose = ContextVar("whose")

    async def opened(self):
        whose.set(self.user.username)
        await self.join("own")

    async def tell(self, event):
        await self.send_frame({"type": "whose", "user": whose.get()})

    monkeypatch.setattr(SampleConsumer, "opened", opened)
    monkeypatch.setattr(SampleConsumer, "sample_event", tell)
    sockets = [await connect(PATH, user) for user in (student, mentor)]
    await get_channel_layer().group_send("sample", {"type": "sample.event"})
    assert [(await socket.receive("whose"))["user"] for socket in sockets] == ["student", "mentor"]
    assert whose not in get_hub().groups["own"].pump.get_context()


async def test_a_user_who_was_changed_without_a_signal_is_kicked(connect, student, mentor, monkeypatch):
    monkeypatch.setattr(revocation, "REVIEW_SECONDS", 0.05)
    leaves, stays = await connect(PATH, student), await connect(PATH, mentor)
    await type(student).objects.filter(pk=student.pk).aupdate(is_active=False)
    assert await leaves.close_code() == NOT_AUTHENTICATED
    assert (await stays.request("ping"))["ok"]


async def test_a_kick_of_this_process_holds_at_once_and_not_again_when_it_comes_through_the_layer(
    connect, student, monkeypatch
):
    socket = await connect(PATH, student)
    layer, held = get_channel_layer(), asyncio.Queue()
    send = layer.group_send

    async def hold_kicks(group, event):
        if event["type"] == KICK:
            held.put_nowait((group, event))
        else:
            await send(group, event)

    monkeypatch.setattr(layer, "group_send", hold_kicks)
    await sync_to_async(kick)(student.pk, "Log in again")
    assert await socket.close_code() == NOT_AUTHENTICATED
    again = await connect(PATH, student)
    everywhere, event = await held.get()
    own = asyncio.Queue()
    monkeypatch.setattr(get_hub().revocation, "kick", own.put_nowait)
    for sent in (event, {**event, "from": "another process"}):
        await send(everywhere, sent)
    assert (await own.get())["from"] == "another process"
    assert (await again.request("ping"))["ok"]


async def test_a_layer_that_is_late_is_not_away(connect, student, monkeypatch):
    """As long as events arrive, a probe that does not waits behind them."""
    for name, seconds in (("PROBE_SECONDS", 0.05), ("AGAIN_SECONDS", 0.05), ("LAYER_SECONDS", 0.2)):
        monkeypatch.setattr(watch, name, seconds)
    await connect(PATH, student)
    layer, held = get_channel_layer(), []
    send = layer.group_send

    async def hold_probes(group, event):
        if event["type"] == PROBE:
            held.append(event)
        else:
            await send(group, event)

    monkeypatch.setattr(layer, "group_send", hold_probes)
    while len(held) < 12:  # three times what counts as silence
        assert await apublish("sample", {"type": "number", "n": 1})
        await asyncio.sleep(0.02)
    assert not get_hub().away
    for _ in range(200):  # and when nothing arrives it is
        if get_hub().away:
            break
        await asyncio.sleep(0.05)
    assert get_hub().away


async def test_a_layer_that_is_silent_is_noticed(connect, student, monkeypatch):
    """What it holds up is not waited for; who is connected comes back when it answers again."""
    monkeypatch.setattr(watch, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(watch, "LAYER_SECONDS", 0.2)
    socket = await connect(PATH, student)
    layer, speaks = get_channel_layer(), asyncio.Event()
    send = layer.group_send

    async def say_nothing(*message):
        await speaks.wait()
        await send(*message)

    monkeypatch.setattr(layer, "group_send", say_nothing)
    while (another := await connect(PATH, student)).code != TRY_AGAIN_LATER:
        await another.disconnect()  # it is not noticed yet
    assert not await apublish("sample", {"type": "number", "n": 1})
    assert (await socket.request("ping"))["ok"]
    speaks.set()
    await socket.receive("reconnect")
    assert await socket.close_code() == SERVICE_RESTART
    assert (await connect(PATH, student)).hello


async def test_a_group_outlives_an_error_of_the_layer(connect, student, monkeypatch, caplog):
    socket = await connect(PATH, student)
    layer, errors = get_channel_layer(), iter([ConnectionError("the layer restarts")])
    receive = layer.receive

    async def receive_or_fail(channel):
        for error in errors:
            raise error
        return await receive(channel)

    monkeypatch.setattr(layer, "receive", receive_or_fail)
    await apublish("sample", {"type": "number", "n": 0})
    assert await numbers(socket, 1) == [0]
    await socket.receive("reconnect")  # for what may have been missed
    again = await connect(PATH, student)
    await apublish("sample", {"type": "number", "n": 1})
    assert await numbers(again, 1) == [1]
    assert "1 clients come back" in caplog.text
