"""Events on their way from a publisher to the sockets of a group."""

import asyncio

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from realtime import outbox
from realtime.codes import TRY_AGAIN_LATER
from realtime.hub import get_hub
from realtime.outbox import Outbox
from realtime.publish import apublish, flush, publish

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


async def test_what_was_caught_up_is_not_sent_again():
    member = Member()
    member.outbox.hold()
    for key in (1, 2, 3):
        member.outbox.push({"text": str(key)}, key)
    member.outbox.release(seen=range(3))
    for key in (2, 4):
        member.outbox.push({"text": str(key)}, key)
    assert [(await member.received.get())["text"] for _ in range(2)] == ["3", "4"]


async def test_the_last_member_leaves_while_the_next_one_joins():
    hub, first, gone, last = get_hub(), Member(), Member(), Member()
    await hub.join("race", first)
    hub.leave("race", first)
    joining = asyncio.create_task(hub.join("race", gone))
    await asyncio.sleep(0)
    hub.leave("race", gone)
    await asyncio.gather(joining, hub.join("race", last))
    for n in range(3):
        await apublish("race", {"n": n})
    async with asyncio.timeout(5):
        texts = [(await last.received.get())["text"] for _ in range(3)]
    assert texts == ['{"n":0}', '{"n":1}', '{"n":2}']
    assert first.received.empty()
    assert gone.received.empty()


async def test_a_group_outlives_an_error_of_the_layer(connect, student, monkeypatch, caplog):
    socket = await connect(PATH, student)
    layer, errors = get_channel_layer(), iter([ConnectionError("the layer restarts")])
    receive = layer.receive

    async def receive_or_fail(channel):
        for error in errors:
            raise error
        return await receive(channel)

    monkeypatch.setattr(layer, "receive", receive_or_fail)
    for n in range(3):
        await apublish("sample", {"type": "number", "n": n})
    assert await numbers(socket, 3) == [0, 1, 2]
    assert "the layer restarts" in caplog.text
