"""The connections to Redis of presence and limits; those of the channel layer are its own."""

import asyncio
from weakref import WeakKeyDictionary

from django.conf import settings
from redis.asyncio import BlockingConnectionPool, Redis

CONNECTIONS = 10  # of each process

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = WeakKeyDictionary()


def get_redis() -> Redis:
    """The client of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        # A rush of sockets waits for one of these; without a pool that blocks, the 101st would fail.
        _clients[loop] = Redis.from_pool(
            BlockingConnectionPool.from_url(settings.REDIS_URL, max_connections=CONNECTIONS, timeout=None)
        )
    return _clients[loop]


async def close() -> None:
    """Close the connections of the running event loop."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()
