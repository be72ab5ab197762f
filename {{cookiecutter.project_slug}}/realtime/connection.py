"""The way to one client: frames, the close frame, and what to do with a client that does not read."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

import msgspec
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from realtime.codes import SERVICE_RESTART, TRY_AGAIN_LATER
from realtime.frames import Connected, Frame, Reconnect, UserInfo, to_text
from realtime.outbox import Outbox, message_of
from realtime.stats import stats

logger = logging.getLogger("realtime")

HEARTBEAT = settings.REALTIME["HEARTBEAT"]
CLOSE_SECONDS = 3  # for a client to read what comes before the close frame
DROP_SECONDS = 1  # for a client that does not read to take a close frame


class Connection(AsyncWebsocketConsumer):
    """An open socket, as far as sending and closing go."""

    user: Any  # Django's; where guests are admitted, it may be an `AnonymousUser`
    closed_with: int | None = None  # the code, if the server closes

    def _begin(self, scope, send) -> None:
        self.scope = scope
        self.base_send = send
        self.outbox = Outbox(send, self._fell_behind)
        self.tasks: set[asyncio.Task] | None = None  # made when needed: it is 200 bytes
        self.is_open = self._greeted = self._cut = False
        self._task = asyncio.current_task()

    @property
    def user_info(self) -> UserInfo:
        """The user as other clients see it."""
        return UserInfo(self.user.pk, self.user.get_username())

    def spawn(self, coroutine) -> asyncio.Task:
        """Run long work beside the socket's frames; it is cancelled when the socket closes."""
        context = self._task.get_context().copy() if self._task else None  # the socket's, whoever spawns
        task = asyncio.create_task(coroutine, context=context)
        if self.tasks is None:
            self.tasks = set()
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def greet(self, frame: Frame | None = None, *more: Frame) -> None:
        """Send the first frame, `connection_established`, and right after it `more`.

        Events that came since a group was joined follow: they may be newer than what these frames tell.
        """
        if self._greeted and self.takes_frames:
            raise RuntimeError("The first frame was sent already; greet() before you send anything else")
        self._greeted = True
        text = to_text(frame or Connected(user=self.user_info, heartbeat=HEARTBEAT))
        if self.is_open:
            with suppress(OSError):
                await self._send_at_once(text)
        self.outbox.release(*map(to_text, more))

    async def _send_at_once(self, text: str) -> None:
        await self.base_send(message_of(text))
        self.outbox.sent += 1

    @property
    def takes_frames(self) -> bool:
        """Whether what is sent can still reach the client."""
        return self.is_open and not self.outbox.closed

    async def send_frame(self, frame: msgspec.Struct | dict[str, Any]) -> None:
        """Send a frame to this socket alone; nothing happens when the socket is gone."""
        if not self._greeted:
            await self.greet()
        if self.takes_frames:
            await self.outbox.send(to_text(frame))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket with a code and a reason; once is enough."""
        if self.is_open:
            self.is_open = False
            self.closed_with = code
            self.outbox.discard()
            with suppress(OSError):  # what ASGI has servers raise when the client has left
                await self.base_send({"type": "websocket.close", "code": code, "reason": reason})

    async def reconnect(self, after: float) -> None:
        """Close the socket, and have the client come back after so many seconds; once is enough."""
        if not self.takes_frames:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                if not self._greeted:
                    await self.greet()
                await self.outbox.finish()
                if self.is_open:
                    frame = to_text(Reconnect(after=round(after, 2)))
                    with suppress(OSError):
                        await self._send_at_once(frame)
                    await self.close(SERVICE_RESTART, "Come back in a moment")
        except TimeoutError:  # it does not read
            self.cut()

    def cut(self) -> None:
        """End the socket without the client, which may never answer; clean-up runs."""
        self.is_open = False
        self._cut = True
        if self._task is not None:
            self._task.cancel()
        if abort := self.scope.get("extensions", {}).get("realtime.abort"):
            abort()

    def _fell_behind(self) -> None:
        """More waits for this client than may; drop it."""
        if self.is_open:
            stats.slow_clients += 1
            self.spawn(self._drop())

    async def _drop(self) -> None:
        logger.warning("a client does not read what is sent; closing its socket")
        # A close frame waits behind everything that the client has not read, so it is a matter of luck.
        with suppress(TimeoutError):
            async with asyncio.timeout(DROP_SECONDS):
                await self.close(TRY_AGAIN_LATER, "You do not read what is sent; reconnect to catch up")
        self.cut()
