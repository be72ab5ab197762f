"""Code that is no socket, and gets what is published to a group."""

import asyncio
import json

import pytest
from channels.layers import get_channel_layer

from realtime import subscribe as module
from realtime.drain import drain
from realtime.events import text_event
from realtime.hub import get_hub
from realtime.publish import apublish
from realtime.subscribe import Lost, subscribe


async def numbers(frames, count):
    async with asyncio.timeout(5):
        return [json.loads(await anext(frames))["n"] for _ in range(count)]


async def publish_numbers(*numbers):
    for n in numbers:
        await apublish("sample", {"type": "number", "n": n})


async def test_frames_come_in_order_to_all_who_subscribe_and_to_sockets(connect, student):
    socket = await connect("/ws/sample/", student)
    async with subscribe("sample") as one, subscribe("sample") as other:
        await publish_numbers(*range(100))
        for frames in (one, other):
            assert await numbers(frames, 100) == list(range(100))
    assert [(await socket.receive("number"))["n"] for _ in range(100)] == list(range(100))
    assert not get_hub().sockets.subscriptions


async def test_what_is_for_one_user_does_not_come_and_what_is_for_all_but_one_does():
    async with subscribe("sample") as frames:
        await apublish("sample", {"type": "number", "n": 1}, to=1)
        await get_channel_layer().group_send("sample", {"type": "sample.event", "text": "plain"})
        await apublish("sample", {"type": "number", "n": 2}, exclude=1)
        assert await numbers(frames, 1) == [2]


async def test_who_waits_for_a_while_only_loses_nothing():
    async with subscribe("sample") as frames:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(frames)
        await publish_numbers(1)
        assert await numbers(frames, 1) == [1]


async def test_the_group_is_left_with_the_last_one():
    async with subscribe("sample"):
        assert "sample" in get_hub().groups
    assert "sample" not in get_hub().groups


async def lost(frames):
    with pytest.raises(Lost):
        async with asyncio.timeout(5):
            await anext(frames)


async def test_who_does_not_take_frames_has_lost_them(monkeypatch, caplog):
    monkeypatch.setattr(module, "MAX_FRAMES", 10)
    async with subscribe("sample") as idle, subscribe("sample") as good:
        for n in range(30):
            await publish_numbers(n)
            assert await numbers(good, 1) == [n]
        await lost(idle)
        await lost(idle)
        assert not idle._frames
    assert "frames of sample are not taken" in caplog.text


async def test_a_layer_that_was_away_may_have_lost_frames():
    async with subscribe("sample") as frames:
        get_hub().watch.missed_events()
        await lost(frames)
    async with subscribe("sample") as frames:
        await publish_numbers(1)
        assert await numbers(frames, 1) == [1]


async def test_an_event_that_does_not_come_in_its_turn_is_lost(monkeypatch):
    monkeypatch.setattr("realtime.group.ORDER_SECONDS", 0.1)
    async with subscribe("sample") as frames:
        for n in (1, 3):
            event = text_event({"type": "number", "n": n}, key=n, after=n - 1)
            await get_channel_layer().group_send("sample", event)
        assert await numbers(frames, 1) == [1]
        await lost(frames)


async def test_a_process_that_drains_ends_those_who_subscribe():
    async with subscribe("sample") as frames:
        await drain()
        await lost(frames)
    with pytest.raises(Lost):
        async with subscribe("sample"):
            pass


async def test_who_waits_is_told_that_the_process_drains():
    async with subscribe("sample") as frames:
        waiting = asyncio.create_task(lost(frames))
        await asyncio.sleep(0)
        await drain()
        await waiting
