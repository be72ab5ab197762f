"""The publisher: events that wait go together, none is lost without being counted, nobody waits for ever."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from realtime.publish import BATCH, apublish, flush, publish, send_event
from realtime.stats import stats

PATH = "/ws/sample/"
MANY = 3 * BATCH


@pytest.fixture
async def socket(connect, student):
    return await connect(PATH, student)


@pytest.fixture
def failures():
    """Return a function that counts events which could not be published since."""
    before = stats.publish_failures
    return lambda: stats.publish_failures - before


def number(n):
    return {"type": "number", "n": n}


async def numbers(socket, many):
    return [(await socket.receive("number"))["n"] for _ in range(many)]


async def test_an_event_that_the_layer_does_not_take_harms_no_other(socket, monkeypatch, failures):
    layer = get_channel_layer()
    send = layer.group_send

    async def refuse_one(group, event):
        if event.get("type") == "refused":
            raise ValueError("not this one")
        await send(group, event)

    async def refuse_all(events):
        for group, event in events:
            await refuse_one(group, event)

    monkeypatch.setattr(layer, "group_send", refuse_one)
    monkeypatch.setattr(layer, "group_send_all", refuse_all, raising=False)

    def publish_some():
        for n in range(4):
            publish("sample", number(n))
        send_event("sample", {"type": "refused"})
        return flush()

    assert not await sync_to_async(publish_some)()
    assert failures() == 1
    assert [(await socket.receive("number"))["n"] for _ in range(4)][-1] == 3


async def test_a_layer_that_hangs_is_waited_for_once(socket, monkeypatch, failures):
    monkeypatch.setattr("realtime.publish.SEND_SECONDS", 0.2)
    hanging = asyncio.Event()
    for name in ("group_send", "group_send_all"):
        monkeypatch.setattr(get_channel_layer(), name, lambda *args: hanging.wait(), raising=False)
    async with asyncio.timeout(2):
        sent = await asyncio.gather(*(apublish("sample", number(n)) for n in range(MANY)))
    assert not any(sent)
    assert failures() == MANY
    assert await sync_to_async(flush)() is False


async def test_what_waits_is_bounded(socket, monkeypatch, failures):
    monkeypatch.setattr("realtime.publish.MAX_WAITING", 5)
    monkeypatch.setattr("realtime.publish.SEND_SECONDS", 0.2)
    for name in ("group_send", "group_send_all"):
        monkeypatch.setattr(get_channel_layer(), name, lambda *args: asyncio.Event().wait(), raising=False)
    hanging = [asyncio.create_task(apublish("sample", number(n))) for n in range(6)]
    await asyncio.sleep(0)
    assert not await asyncio.wait_for(apublish("sample", number(7)), 0.1)
    assert failures() == 1
    assert not any(await asyncio.gather(*hanging))


async def test_who_gives_up_does_not_hold_up_others(socket, monkeypatch):
    layer, go_on = get_channel_layer(), asyncio.Event()
    send = layer.group_send

    async def hesitate(*event):
        await go_on.wait()
        await send(*event)

    monkeypatch.setattr(layer, "group_send", hesitate)
    monkeypatch.setattr(layer, "group_send_all", lambda events: hesitate(*events[0]), raising=False)
    sending, waiting, last = [asyncio.create_task(apublish("sample", number(n))) for n in range(3)]
    await asyncio.sleep(0)
    sending.cancel()
    waiting.cancel()
    await asyncio.wait([sending, waiting])
    go_on.set()
    assert await last
    assert await numbers(socket, 1) == [2]
