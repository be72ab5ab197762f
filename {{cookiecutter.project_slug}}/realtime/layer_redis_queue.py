"""The channel layer over lists in Redis: that of channels_redis, with one receiver for the whole process.

There, whoever waits for an event takes those of the others out of Redis, too; when it is cancelled, since a
group has lost its last member, the event that it has just taken is gone.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context

from channels_redis.core import RedisChannelLayer
from django.conf import settings
from django.core.checks import Error, Tags, register


class ChannelLayer(RedisChannelLayer):
    """`receive()` raises when Redis is lost, so nobody has to be told of a gap."""

    on_gap: Callable[[], None] | None = None
    brpop_timeout = 2  # seconds; less than the `socket_timeout` after which a connection counts as dead

    def __init__(self, **config):
        super().__init__(**config)
        self._waiting: set[str] = set()  # channels
        self._receivers: dict[str, asyncio.Task] = {}

    async def receive(self, channel: str) -> dict:
        if "!" not in channel:
            return await super().receive(channel)
        self._start_receiver(self.non_local_name(channel))
        self._waiting.add(channel)
        try:
            message = await self.receive_buffer[channel].get()
        except asyncio.CancelledError:
            self.receive_buffer.pop(channel, None)
            raise
        finally:
            self._waiting.discard(channel)
        if self.receive_buffer[channel].empty():
            del self.receive_buffer[channel]
        if isinstance(message, Exception):
            raise message
        return message

    async def serve(self) -> None:
        """What other processes publish comes through Redis."""

    async def reset(self) -> None:
        """Connections that hang end by themselves, by their `socket_timeout`."""

    def _start_receiver(self, name: str) -> None:
        task = self._receivers.get(name)
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            self._receivers[name] = asyncio.create_task(self._receive_all(name), context=Context())

    async def _receive_all(self, name: str) -> None:
        while True:
            try:
                channels, message = await self.receive_single(name)
            except Exception as error:
                for channel in self._waiting:
                    self.receive_buffer[channel].put_nowait(error)
                await asyncio.sleep(0.5)
                continue
            for channel in [channels] if isinstance(channels, str) else channels:
                self.receive_buffer[channel].put_nowait(message)


@register(Tags.security, deploy=True)
def one_host(app_configs, **kwargs):
    """For `manage.py check --deploy`: a layer over several hosts loses messages."""
    if len(settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]) <= 1:
        return []
    return [
        Error(
            "The Redis queue layer loses messages when it has several hosts (django/channels#1492).",
            hint="Name one host, or Sentinel, in CHANNEL_LAYERS.",
            id="realtime.E004",
        )
    ]
