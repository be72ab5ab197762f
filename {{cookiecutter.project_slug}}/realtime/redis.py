"""The connections to Redis, one client for each event loop; those of the channel layer are its own."""

import asyncio
from collections.abc import Awaitable, Callable

from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from realtime.loops import per_loop

CONNECTIONS = 10  # of each process
TIMEOUT = 1  # seconds for an answer
PARTS = 4  # of this time; see `_within`
PAUSE = 0.2  # seconds between two looks whether Redis is back


class _Connections:
    """Those of the running event loop."""

    def __init__(self):
        self.client = Redis.from_url(settings.REDIS_URL)
        # Waiting for a turn says nothing about Redis: a rush of sockets does that, too.
        self.turns = asyncio.Semaphore(CONNECTIONS)
        self.waiting: asyncio.Task | None = None  # for a Redis that is away

    @property
    def away(self) -> bool:
        return self.waiting is not None and not self.waiting.done()

    async def aclose(self) -> None:
        await self.client.aclose()


_connections = per_loop(_Connections)


def get_redis() -> Redis:
    """The client of the running event loop."""
    return _connections().client


async def ask[**P, T](function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Await a function that talks to Redis, for at most `TIMEOUT` seconds; raise ConnectionError if it fails.

    From then on everyone fails at once until Redis is back: one that hangs is waited for once, not by each
    frame of each socket.
    """
    own = _connections()
    async with own.turns:
        if own.away:
            raise ConnectionError("Redis is away")
        try:
            return await _within(TIMEOUT, function(*args, **kwargs))
        except (RedisError, OSError) as error:  # a TimeoutError is an OSError
            if not own.away:
                own.waiting = asyncio.create_task(_wait(own.client))
            raise ConnectionError(f"Redis does not answer: {error!r}") from error


async def _within[T](seconds: float, answer: Awaitable[T]) -> T:
    """Await an answer; raise TimeoutError when it takes longer.

    The time passes in parts, each of which begins when the loop gets to it: with a single timer, a loop that
    is itself a second late would lay this at the door of Redis.
    """
    task = asyncio.ensure_future(answer)
    try:
        for _ in range(PARTS):
            if (await asyncio.wait([task], timeout=seconds / PARTS))[0]:
                return task.result()
        raise TimeoutError(f"no answer in {seconds} s")
    finally:
        task.cancel()


async def _wait(client: Redis) -> None:
    """Return when Redis answers."""
    while True:
        try:
            await _within(TIMEOUT, client.ping())
            return
        except (RedisError, OSError):
            await asyncio.sleep(PAUSE)
