"""The layer over Pub/Sub takes many events at once, over a connection that it keeps."""

import asyncio
from itertools import count

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from realtime.publish import BATCH, apublish, publish
from realtime.redis import get_redis
from realtime.tests.test_publish import MANY, PATH, number, numbers


@pytest.fixture
async def socket(connect, student):
    return await connect(PATH, student)


async def test_all_at_once_arrive_in_order(socket):
    assert all(await asyncio.gather(*(apublish("sample", number(n)) for n in range(MANY))))
    assert await numbers(socket, MANY) == list(range(MANY))


async def test_sync_and_async_code_publish_in_one_order(socket):
    numbered = count()

    def publish_some():
        for _ in range(BATCH):
            publish("sample", number(next(numbered)))

    for _ in range(3):
        await sync_to_async(publish_some)()
        assert await apublish("sample", number(next(numbered)))
    assert await numbers(socket, next(numbered)) == list(range(3 * BATCH + 3))


async def test_a_connection_that_was_closed_is_replaced(socket):
    for _ in range(2):
        await get_redis().execute_command("CLIENT KILL TYPE normal SKIPME yes")
        assert await apublish("sample", number(1))


async def test_nobody_reads_the_answers_to_what_was_cancelled(socket):
    layer = get_channel_layer()
    many = asyncio.create_task(layer.group_send_all([("elsewhere", number(n)) for n in range(100)]))
    await asyncio.sleep(0)
    many.cancel()
    await asyncio.wait([many])
    assert many.cancelled()
    assert await layer.group_send("sample", {"type": "sample.event", "text": "after"}) is None
    assert (await socket.receive("event"))["text"] == "after"
    assert all(await asyncio.gather(*(apublish("sample", number(n)) for n in range(5))))
    assert await numbers(socket, 5) == list(range(5))
