"""The channel layer over Redis Pub/Sub: that of channels_redis, which does not say when it was cut off.

Pub/Sub delivers to whoever is connected just now, so one has to know when that was not the case.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisSingleShardConnection
from redis.asyncio.client import PubSub
from redis.asyncio.connection import AbstractConnection

logger = logging.getLogger("realtime")


class ChannelLayer(RedisPubSubChannelLayer):
    """Calls `on_gap()` when a connection to Redis was replaced, so that events may have been missed."""

    on_gap: Callable[[], None] | None = None

    def _get_layer(self):
        layer = super()._get_layer()
        if not isinstance(layer._shards[0], Shard):
            layer._shards = [Shard(shard.host, layer) for shard in layer._shards]
        return layer

    async def group_send_all(self, events: Iterable[tuple[str, dict]]) -> None:
        """Do `group_send` for many events, in order, with one answer of Redis to wait for."""
        layer = self._get_layer()
        messages: dict[Shard, list[tuple[str, bytes]]] = {}
        for group, event in events:
            channel = layer._get_group_channel_name(group)
            messages.setdefault(layer._get_shard(channel), []).append((channel, self.serialize(event)))
        for shard, own in messages.items():
            await shard.publish_all(own)

    async def serve(self) -> None:
        """What other processes publish comes through Redis."""

    async def reset(self) -> None:
        """Cut all connections, which makes new ones; a connection may be dead without having said so."""
        for shard in self._get_layer()._shards:
            await shard.reset()


class Subscriber(PubSub):
    """The side of a connection to Redis that listens."""

    replaced: Callable[[], None]

    async def on_connect(self, connection):
        self.replaced()
        await super().on_connect(connection)  # subscribes again to all it was subscribed to


class Shard(RedisSingleShardConnection):
    """The connection to one Redis; a subscription counts when Redis has confirmed it."""

    def __init__(self, host, channel_layer):
        super().__init__(host, channel_layer)
        self._unconfirmed: dict[str, asyncio.Future] = {}
        self._publishing: AbstractConnection | None = None  # one of its own, kept

    async def publish(self, channel, message):
        await self.publish_all([(channel, message)])

    async def publish_all(self, messages: list[tuple[str, bytes]]) -> None:
        """Publish in order, all before the first is answered.

        That is what redis-py's pipeline does, without what it costs to hand a connection out and back.
        """
        async with self._lock:
            self._ensure_redis()
            if self._publishing is None:
                self._publishing = await self._redis.connection_pool.get_connection()
            connection = self._publishing
            commands = [("PUBLISH", channel, message) for channel, message in messages]
            try:
                await connection.send_packed_command(connection.pack_commands(commands))
                for _ in commands:
                    await connection.read_response()
            except BaseException:
                await connection.disconnect(nowait=True)  # or later ones would read the answers to these
                raise

    async def subscribe(self, channel):
        confirmed = self._unconfirmed.get(channel)
        if confirmed is None:
            if channel in self._subscribed_to:
                return
            confirmed = self._unconfirmed[channel] = asyncio.get_running_loop().create_future()
        try:
            await super().subscribe(channel)
            await asyncio.shield(confirmed)
        finally:
            self._unconfirmed.pop(channel, None)

    async def unsubscribe(self, channel):
        try:
            await super().unsubscribe(channel)
        except Exception as error:  # the connection is gone; the next one need not subscribe to this
            logger.debug("could not unsubscribe from %s: %r", channel, error)
            self._subscribed_to.discard(channel)

    async def reset(self):
        if self._redis is not None:
            await self._redis.connection_pool.disconnect()

    def _ensure_redis(self):
        if self._redis is None:
            super()._ensure_redis()
            self._publishing = None
            self._pubsub = Subscriber(self._redis.connection_pool)
            self._pubsub.replaced = self._replaced

    def _replaced(self):
        for channel in [name for name in self._pubsub.channels if name.decode() not in self._subscribed_to]:
            del self._pubsub.channels[channel]
        if self.channel_layer.channel_layer.on_gap is not None:
            self.channel_layer.channel_layer.on_gap()

    async def _do_receiving(self):
        while True:
            try:
                if self._pubsub.subscribed:
                    message = await self._pubsub.get_message(timeout=1)
                    self._receive_message(message)
                    if message is None:
                        await asyncio.sleep(0)  # a connection that timed out says so without ever waiting
                else:
                    await asyncio.sleep(0.1)
            except Exception as error:
                logger.warning("the channel layer has lost Redis: %r", error)
                await asyncio.sleep(0.5)

    def _receive_message(self, message):
        if message is None or message["type"] == "message":
            return super()._receive_message(message)
        confirmed = self._unconfirmed.get(message["channel"].decode())
        if message["type"] == "subscribe" and confirmed is not None and not confirmed.done():
            confirmed.set_result(None)
