"""The connections to Redis of presence and limits; those of the channel layer are its own."""

import asyncio
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from django.conf import settings
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

CONNECTIONS = 10  # of each process
TIMEOUT = 1  # seconds for an answer
PAUSE = 0.2  # seconds between two looks whether Redis is back

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = WeakKeyDictionary()
_waiting: dict[asyncio.AbstractEventLoop, asyncio.Task] = {}  # for a Redis that is away


def get_redis() -> Redis:
    """The client of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        # A rush of sockets waits for one of these; without a pool that blocks, the 11th would fail.
        _clients[loop] = Redis.from_pool(
            BlockingConnectionPool.from_url(
                settings.REDIS_URL,
                max_connections=CONNECTIONS,
                timeout=TIMEOUT,
                socket_timeout=TIMEOUT,
                socket_connect_timeout=TIMEOUT,
            )
        )
    return _clients[loop]


async def ask[**P, T](function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Await a function that talks to Redis, for at most `TIMEOUT` seconds; raise ConnectionError if it fails.

    From then on everyone fails at once until Redis is back: one that hangs is waited for once, not by each
    frame of each socket.
    """
    loop = asyncio.get_running_loop()
    if loop in _waiting:
        raise ConnectionError("Redis is away")
    try:
        async with asyncio.timeout(TIMEOUT):
            return await function(*args, **kwargs)
    except (RedisError, OSError) as error:  # a TimeoutError is an OSError
        if loop not in _waiting:
            _waiting[loop] = loop.create_task(_wait())
            _waiting[loop].add_done_callback(lambda _: _waiting.pop(loop, None))
        raise ConnectionError(f"Redis does not answer: {error!r}") from error


async def _wait() -> None:
    """Return when Redis answers."""
    while True:
        try:
            async with asyncio.timeout(TIMEOUT):
                await get_redis().ping()
                return
        except (RedisError, OSError):
            await asyncio.sleep(PAUSE)


async def close() -> None:
    """Close the connections of the running event loop."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()
