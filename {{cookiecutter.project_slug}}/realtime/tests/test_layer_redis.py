"""The layer over Pub/Sub keeps a connection to publish with; what happens to that harms no later event."""

import asyncio

from channels.layers import get_channel_layer

from realtime.publish import apublish
from realtime.redis import get_redis
from realtime.tests.test_publish import number, numbers

PATH = "/ws/sample/"


async def test_a_connection_that_was_closed_is_replaced(connect, student):
    await connect(PATH, student)
    for _ in range(2):
        await get_redis().execute_command("CLIENT KILL TYPE normal SKIPME yes")
        assert await apublish("sample", number(1))


async def test_nobody_reads_the_answers_to_what_was_cancelled(connect, student):
    socket = await connect(PATH, student)
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
