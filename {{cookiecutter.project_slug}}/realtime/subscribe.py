"""What is published to a group, for code that is no socket."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context

from django.contrib.auth.models import AnonymousUser

from realtime.hub import get_hub
from realtime.outbox import MAX_SIZE
from realtime.stats import stats

logger = logging.getLogger("realtime")

MAX_FRAMES = 1000  # that wait to be taken


class Lost(Exception):
    """Frames were lost, or no more will come since the process ends: read the state anew.

    A client elsewhere that has to come back for it does so after `after` seconds, not all at once.
    """

    def __init__(self, why: str, after: float = 1.0):
        super().__init__(why)
        self.after = after


class Subscription:
    """A member of a group, as a socket is; iterates over the frames, as text.

    `anext()` may be cancelled, by a timeout for instance, without a frame being lost.
    """

    user = AnonymousUser()  # so `to` does not reach it, and `exclude` does not leave it out

    def __init__(self, group: str):
        self.group = group
        self.opened_at = asyncio.get_running_loop().time()
        self._frames: deque[str] = deque()
        self._size = 0
        self._lost: Lost | None = None  # no more frames come, if so
        self._changed = asyncio.Event()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> str:
        """The next frame; raises `Lost`, then and ever after, without those that still wait."""
        while not self._frames and self._lost is None:
            self._changed.clear()
            await self._changed.wait()
        if self._lost is not None:
            raise self._lost
        text = self._frames.popleft()
        self._size -= len(text)
        return text

    def _end(self, lost: Lost) -> None:
        self._lost = self._lost or lost
        self._frames.clear()
        self._changed.set()

    # What a group asks of its members

    @property
    def outbox(self) -> "Subscription":
        return self

    def push(self, texts: tuple[str, ...], context: Context | None = None) -> None:
        if self._lost is not None:
            return
        self._frames.extend(texts)
        self._size += sum(map(len, texts))
        self._changed.set()
        if len(self._frames) > MAX_FRAMES or self._size > MAX_SIZE:
            stats.events_dropped += len(self._frames)
            logger.warning("frames of %s are not taken as fast as they come; they are read anew", self.group)
            self._end(Lost(f"too many frames of {self.group} waited"))

    def take_event(self, name: str, event: dict) -> None:
        """A plain `group_send` is for methods of consumers."""

    async def reconnect(self, after: float) -> None:
        """Frames may be missing, or this process ends."""
        self._end(Lost(f"frames of {self.group} may be missing", after))


@asynccontextmanager
async def subscribe(group: str) -> AsyncIterator[Subscription]:
    """Get what is published to a group, as soon as the block is entered: read what is stored after that.

    Frames come as with a socket: in order, those with a `key` once. Of those that are `droppable` some may
    be missing. When others may be, `Lost` is raised: subscribe anew and read again what is stored. That is
    so when the channel layer was away, when more than `MAX_FRAMES` wait to be taken, and when this process
    drains, which `get_hub().draining` tells. Raises ConnectionError while the layer does not answer.
    """
    hub = get_hub()
    await hub.start()
    if hub.draining:
        raise Lost("this process ends")
    subscription = Subscription(group)
    hub.sockets.subscriptions.add(subscription)
    try:
        joined = await hub.join(group, subscription)
        try:
            yield subscription
        finally:
            hub.leave(joined, subscription)
    finally:
        hub.sockets.subscriptions.discard(subscription)
