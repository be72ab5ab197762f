"""C6, C11: a flood, or slow queries, do not hold up others."""

import asyncio
import statistics
import time
from contextlib import AsyncExitStack, suppress

import pytest
from websockets.exceptions import ConnectionClosed

from busy import Busy
from contract.site import PROBE, SOON

PING = b'{"type": "ping"}'
FLOOD = (bytes([0x81, 0x80 | len(PING)]) + bytes(4) + PING) * 400  # frames of RFC 6455, masked with zeros


@pytest.mark.covering
async def test_c06_a_flood_is_stopped_and_harms_nobody_else(site):
    """Ten clients send hundreds of frames at once, for a second, and come back each time they are put out.

    The median of another socket's pings is under 100 ms, on a machine that has nothing else to do.
    """
    flooder = site.make_user()  # who has no allowance left afterwards
    async with flooder.open(PROBE) as socket:  # a client that reads each answer before it goes on
        await socket.frame("connection_established")
        told = []
        with suppress(ConnectionClosed):
            while len(told) < 2000:
                await socket.send("ping")
                told.append(await socket.frame())
        assert await socket.closed() == 4429
        assert {frame.get("code") for frame in told} == {None, "rate_limited"}

    async def flood(end):
        while time.monotonic() < end:
            async with flooder.open(PROBE) as socket:
                socket.socket.transport.write(FLOOD)
                # Who goes on sending may find the connection reset before the close frame is read.
                assert await socket.closed() in (4429, 1006)

    async with site.mentor.open(PROBE) as bystander:
        await bystander.frame("connection_established")
        busy = Busy(site.server)
        floods = asyncio.gather(*(flood(time.monotonic() + 1) for _ in range(10)))
        waits = []
        while not floods.done():
            waits.append(await bystander.ping())
            await asyncio.sleep(0.025)
        await floods
        assert statistics.median(waits) < busy.limit(SOON), waits
        await bystander.ping()
    flooder.close()


@pytest.mark.covering
async def test_c11_slow_queries_run_beside_each_other(site):
    """Ten take less than a third of the time that they take in turn; most pings meanwhile wait for none."""
    async with AsyncExitStack() as stack:
        *sockets, bystander = [await stack.enter_async_context(site.student.open(PROBE)) for _ in range(11)]
        for socket in (*sockets, bystander):
            await socket.frame("connection_established")
        start = time.monotonic()
        await sockets[0].request("slow_query", seconds=0.3)
        alone = time.monotonic() - start
        start = time.monotonic()
        queries = asyncio.gather(*(socket.request("slow_query", seconds=0.3) for socket in sockets))
        waits = []
        while not queries.done():
            waits.append(await bystander.ping())
            await asyncio.sleep(0.02)
        assert time.monotonic() - start < len(sockets) * alone / 3
        assert all(answer["ok"] and answer["users"] >= 3 for answer in await queries)
        assert statistics.median(waits) < alone / 3, waits
