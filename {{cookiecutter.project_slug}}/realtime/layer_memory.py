"""The channel layer of a single process: a queue for each channel.

What processes without sockets publish goes to the one that has them; see `realtime/local.py`.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from uuid import uuid4

from channels.exceptions import ChannelFull
from channels.layers import BaseChannelLayer, channel_layers

from realtime import local
from realtime.hub import serving_hub

logger = logging.getLogger("realtime")


class ChannelLayer(BaseChannelLayer):
    """Channels and groups in the memory of this process.

    Unlike Channels' own it does not walk all of them whenever something is sent or received. A specific
    channel is here from `new_channel()` until its `receive()` is cancelled, which is how consumers end.
    `socket` is where the process with the sockets hears the others.
    """

    extensions = ["groups", "flush"]
    on_gap: Callable[[], None] | None = None  # never called: nothing gets lost on its way

    def __init__(self, socket: Path, capacity: int = 10_000):
        super().__init__(capacity=capacity)
        self.socket = socket
        self.channels: dict[str, asyncio.Queue] = {}
        self.groups: dict[str, dict[str, None]] = {}

    async def new_channel(self, prefix: str = "specific") -> str:
        channel = f"{prefix}.inmemory!{uuid4().hex}"
        self.channels[channel] = asyncio.Queue(self.capacity)
        return channel

    async def send(self, channel: str, message: dict) -> None:
        self.require_valid_channel_name(channel)
        queue = self.channels.get(channel)
        if queue is None:
            if "!" in channel:
                return  # whoever received from it is gone
            queue = self.channels[channel] = asyncio.Queue(self.capacity)
        try:
            queue.put_nowait(deepcopy(message))
        except asyncio.QueueFull:
            raise ChannelFull(channel) from None

    async def receive(self, channel: str) -> dict:
        self.require_valid_channel_name(channel)
        queue = self.channels.setdefault(channel, asyncio.Queue(self.capacity))
        try:
            return await queue.get()
        except asyncio.CancelledError:
            if "!" in channel:
                self.channels.pop(channel, None)
            raise

    async def group_add(self, group: str, channel: str) -> None:
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        self.groups.setdefault(group, {})[channel] = None

    async def group_discard(self, group: str, channel: str) -> None:
        channels = self.groups.get(group, {})
        channels.pop(channel, None)
        if not channels:
            self.groups.pop(group, None)

    async def group_send(self, group: str, message: dict) -> None:
        self.require_valid_group_name(group)
        hub = serving_hub()
        if hub is None and group not in self.groups:
            await local.send(self.socket, group, message)
        elif hub is None or hub.loop is asyncio.get_running_loop():
            await self._group_send(group, message)
        else:  # queues are the serving loop's own
            sending = asyncio.run_coroutine_threadsafe(self._group_send(group, message), hub.loop)
            await asyncio.wrap_future(sending)

    async def _group_send(self, group: str, message: dict) -> None:
        for channel in list(self.groups.get(group, ())):
            if channel not in self.channels:
                await self.group_discard(group, channel)
                continue
            try:
                await self.send(channel, message)
            except ChannelFull:
                logger.warning("a consumer in %s is too slow: an event for it is dropped", group)

    async def serve(self) -> None:
        if "K_SERVICE" in os.environ:  # which Knative sets, and what is made of it
            logger.warning("one instance of this service may run (maxScale 1): it hears of no other one")
        await local.serve(self.socket, self.group_send)

    async def reset(self) -> None:
        """There are no connections to make anew."""

    async def flush(self) -> None:
        self.channels.clear()
        self.groups.clear()


os.register_at_fork(after_in_child=channel_layers.backends.clear)  # it has none of its parent's sockets
