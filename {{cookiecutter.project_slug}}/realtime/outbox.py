"""The way out of one socket: at once while the client reads, through a bounded backlog while it does not."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Container
from contextvars import Context

from django.conf import settings

MAX_FRAMES = settings.REALTIME["BACKLOG_FRAMES"]
MAX_SIZE = settings.REALTIME["BACKLOG_SIZE"]


class Outbox:
    """Sends events to one socket, in order, without ever making the publisher wait.

    `send` is the ASGI send callable. `overflow` is called once, when more than `BACKLOG_FRAMES` frames or
    `BACKLOG_SIZE` characters wait for a client that does not read.
    """

    __slots__ = ("_backlog", "_closed", "_overflow", "_seen", "_send", "_size", "_writer")

    def __init__(self, send: Callable[[dict], Awaitable[None]], overflow: Callable[[], None]):
        self._send = send
        self._overflow = overflow
        self._seen: Container[int] = ()
        self._backlog: deque | None = None  # exists only while events wait
        self._size = 0
        self._closed = False
        self._writer: asyncio.Task | None = None

    def push(self, message: dict, key: int | None = None, context: Context | None = None) -> None:
        """Send an ASGI `websocket.send` message; `key` is the id of what it tells of, see `release`."""
        if self._closed or (key is not None and key in self._seen):
            return
        if self._backlog is not None:
            self._append(message, key)
            return
        # An eager task is over when this line is, unless the transport is full. It costs a microsecond;
        # awaiting the send would let one client that does not read freeze everyone else.
        loop = asyncio.get_running_loop()
        task = asyncio.Task(self._send(message), loop=loop, eager_start=True, context=context)
        if not task.done():
            self._backlog = deque()
            self._writer = asyncio.create_task(self._write(task))
        elif not task.cancelled():
            task.exception()  # a socket that is gone says so in its own receive loop

    def hold(self) -> None:
        """Keep events back until `release`, while a new client is sent what it has missed."""
        self._backlog = deque()

    def release(self, seen: Container[int] = ()) -> None:
        """Send what was kept back and go on as usual, but never an event whose key is in `seen`.

        Such an event may still be under way: the client then has read from the database what it tells.
        """
        if self._closed:
            return
        self._seen = seen
        self._backlog = deque(item for item in self._backlog if item[1] is None or item[1] not in seen)
        self._size = sum(len(message["text"]) for message, _ in self._backlog)
        if self._backlog:
            self._writer = asyncio.create_task(self._write())
        else:
            self._backlog = None

    def discard(self) -> None:
        """Forget everything that waits; the socket is closed."""
        self._closed = True
        self._backlog = None
        if self._writer is not None:
            self._writer.cancel()

    def _append(self, message: dict, key: int | None) -> None:
        self._backlog.append((message, key))
        self._size += len(message["text"])
        if self._size > MAX_SIZE or len(self._backlog) > MAX_FRAMES:
            self.discard()
            self._overflow()

    async def _write(self, blocked: asyncio.Task | None = None) -> None:
        try:
            if blocked is not None:
                await blocked
            while self._backlog:
                message, _ = self._backlog.popleft()
                self._size -= len(message["text"])
                await self._send(message)
        except Exception:  # the socket is gone; its own receive loop says so
            self.discard()
        self._backlog = None
