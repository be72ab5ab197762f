"""The channel layer of a single process: a queue for each channel."""

import asyncio
import logging
from collections.abc import Callable
from copy import deepcopy
from uuid import uuid4

from channels.exceptions import ChannelFull
from channels.layers import BaseChannelLayer

logger = logging.getLogger("realtime")


class ChannelLayer(BaseChannelLayer):
    """Channels and groups in the memory of this process.

    Unlike Channels' own it does not walk all of them whenever something is sent or received. A specific
    channel is here from `new_channel()` until its `receive()` is cancelled, which is how consumers end.
    """

    extensions = ["groups", "flush"]
    in_process = True  # reaches nobody elsewhere
    on_gap: Callable[[], None] | None = None  # never called: nothing gets lost on its way

    def __init__(self, capacity: int = 10_000):
        super().__init__(capacity=capacity)
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
        for channel in list(self.groups.get(group, ())):
            if channel not in self.channels:
                await self.group_discard(group, channel)
                continue
            try:
                await self.send(channel, message)
            except ChannelFull:
                logger.warning("a consumer in %s is too slow: an event for it is dropped", group)

    async def reset(self) -> None:
        """There are no connections to make anew."""

    async def flush(self) -> None:
        self.channels.clear()
        self.groups.clear()
