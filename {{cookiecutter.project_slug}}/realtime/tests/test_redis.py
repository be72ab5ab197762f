"""A Redis that hangs is noticed once; a rush of sockets, or a loop that is late, is not taken for that."""

import asyncio
import time

import pytest

from realtime import redis
from realtime.redis import CONNECTIONS, ask, get_redis


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(redis, "TIMEOUT", 0.4)


async def test_who_waits_for_a_turn_does_not_find_redis_away():
    many = [ask(asyncio.sleep, 0.1, "done") for _ in range(6 * CONNECTIONS)]
    assert set(await asyncio.gather(*many)) == {"done"}


async def test_a_late_loop_is_not_taken_for_a_late_redis():
    answer = asyncio.create_task(ask(get_redis().ping))
    await asyncio.sleep(0.01)
    asyncio.get_running_loop().call_soon(time.sleep, 1.5 * redis.TIMEOUT)
    assert await answer


async def test_a_redis_that_hangs_is_waited_for_once(monkeypatch):
    monkeypatch.setattr(get_redis(), "ping", lambda: asyncio.sleep(60))
    hanging = [ask(asyncio.sleep, 60) for _ in range(3 * CONNECTIONS)]
    start = time.monotonic()
    failures = await asyncio.gather(*hanging, return_exceptions=True)
    assert {type(failure) for failure in failures} == {ConnectionError}
    assert time.monotonic() - start < 2 * redis.TIMEOUT

    monkeypatch.undo()
    async with asyncio.timeout(10):
        while True:
            try:
                assert await ask(get_redis().ping)
                return
            except ConnectionError:
                await asyncio.sleep(0.05)
