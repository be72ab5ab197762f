"""The channel layer over lists in Redis: that of channels_redis, whose connections end when Redis hangs."""

from collections.abc import Callable

from channels_redis.core import RedisChannelLayer


class ChannelLayer(RedisChannelLayer):
    """`receive()` raises when it loses Redis, so nobody has to be told of a gap."""

    on_gap: Callable[[], None] | None = None
    brpop_timeout = 2  # seconds; less than the time after which a connection counts as dead

    async def reset(self) -> None:
        """Connections that hang end by themselves, by their `socket_timeout`."""
