"""The connections to Redis of presence and limits; those of the channel layer are its own."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from django.conf import settings
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

CONNECTIONS = 10  # of each process
TIMEOUT = 2  # seconds for an answer
PAUSE = 1  # seconds for which Redis is not asked again after it did not answer

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = WeakKeyDictionary()
_away_until = 0.0


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

    After a failure, everyone fails at once for `PAUSE` seconds: a Redis that hangs is waited for once, not by
    each frame of each socket.
    """
    global _away_until
    if time.monotonic() < _away_until:
        raise ConnectionError("Redis did not answer a moment ago")
    try:
        async with asyncio.timeout(TIMEOUT):
            return await function(*args, **kwargs)
    except (RedisError, OSError) as error:  # a TimeoutError is an OSError
        _away_until = time.monotonic() + PAUSE
        raise ConnectionError(f"Redis does not answer: {error!r}") from error


async def close() -> None:
    """Close the connections of the running event loop."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()
