"""The way out of one socket: at once while the client reads, through a bounded backlog while it does not."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from django.conf import settings

MAX_FRAMES = settings.REALTIME["BACKLOG_FRAMES"]
MAX_SIZE = settings.REALTIME["BACKLOG_SIZE"]
PATIENCE = 20  # seconds for which whoever sends a frame waits until the client reads again


def message_of(text: str) -> dict:
    return {"type": "websocket.send", "text": text}


class Outbox:
    """Sends to one socket, in order, without ever making the publisher of an event wait.

    `send` is the ASGI send callable; the object that it is a method of may have a method `send_at_once`, too,
    which sends texts without a coroutine, or returns False if that has to wait. `overflow` is called once:
    when more than `BACKLOG_FRAMES` frames or `BACKLOG_SIZE` characters wait for a client that does not read,
    or one waits for too long.
    """

    __slots__ = ("_backlog", "_closed", "_overflow", "_send", "_send_at_once", "_size", "_writer", "sent")

    def __init__(self, send: Callable[[dict], Coroutine[Any, Any, None]], overflow: Callable[[], None]):
        self._send = send
        self._send_at_once = getattr(getattr(send, "__self__", None), "send_at_once", None)
        self._overflow: Callable[[], None] | None = overflow
        self._backlog: deque | None = None  # exists only while frames wait
        self._size = 0
        self._closed = False
        self._writer: asyncio.Task | None = None
        self.sent = 0  # frames; whoever sends past the backlog adds theirs

    def __len__(self) -> int:
        """How many frames wait for the client to read."""
        return len(self._backlog or ())

    def push(self, texts: tuple[str, ...], context: Context | None = None) -> None:
        """Send frames, now or when the client has read what was before them."""
        if self._closed:
            return
        if self._send_at_once is not None and self._backlog is None and self._send_at_once(texts):
            self.sent += len(texts)
            return
        for text in texts:
            self._push(message_of(text), context)

    def _push(self, message: dict, context: Context | None) -> None:
        if self._closed:
            return
        if self._backlog is not None:
            self._append(self._backlog, message)
            return
        # An eager task is over when this line is, unless the transport is full. It costs a microsecond;
        # awaiting the send would let one client that does not read freeze everyone else.
        loop = asyncio.get_running_loop()
        task = asyncio.Task(self._send(message), loop=loop, eager_start=True, context=context)
        if not task.done():
            self._backlog = deque()
            self._writer = asyncio.create_task(self._write(task))
        elif not task.cancelled():
            if task.exception():  # the client has left
                self.discard()
            else:
                self.sent += 1

    async def send(self, text: str) -> None:
        """Push a frame and wait until it is out: a client that is slow holds up who sends it much."""
        self.push((text,))
        if self._writer is not None and not self._writer.done():
            done, _ = await asyncio.wait([self._writer], timeout=PATIENCE)
            if not done:
                self._give_up()

    @property
    def closed(self) -> bool:
        return self._closed

    def hold(self) -> None:
        """Keep events back until `release`: they must not overtake the first frame."""
        self._backlog = deque()

    def release(self, *first: str) -> None:
        """Send some frames and then what was kept back, and go on as usual."""
        if self._closed or self._backlog is None:
            return
        self._backlog.extendleft(message_of(text) for text in reversed(first))
        self._size += sum(map(len, first))
        if self._backlog:
            self._writer = asyncio.create_task(self._write())
        else:
            self._backlog = None

    async def finish(self) -> None:
        """Take nothing more, and wait until what was taken is out."""
        self._closed = True
        if self._writer is not None and not self._writer.done():
            await asyncio.wait([self._writer])

    def discard(self) -> None:
        """Forget everything that waits; the socket is closed."""
        self._closed = True
        self._backlog = None
        self._overflow = None  # a method of the socket, which would wait for the garbage collector
        if self._writer is not None:
            self._writer.cancel()

    def _append(self, backlog: deque, message: dict) -> None:
        backlog.append(message)
        self._size += len(message["text"])
        if self._size > MAX_SIZE or len(backlog) > MAX_FRAMES:
            self._give_up()

    def _give_up(self) -> None:
        overflow = self._overflow
        if overflow is not None and not self._closed:
            self.discard()
            overflow()

    async def _write(self, blocked: asyncio.Task | None = None) -> None:
        try:
            if blocked is not None:
                await blocked
                self.sent += 1
            while self._backlog:
                message = self._backlog.popleft()
                self._size -= len(message["text"])
                await self._send(message)
                self.sent += 1
        except Exception:  # the client has left
            self._closed = True
        self._backlog = None
