"""The base of all consumers: opens, decodes, dispatches, answers and cleans up."""

import asyncio
import inspect
import logging
import time
from collections.abc import Container
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import parse_qs
from uuid import uuid4

import msgspec
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.conf import settings

#% if cookiecutter.auth != "session"
from realtime.auth_jwt import aread_token
#% endif
from realtime.codes import NOT_AUTHENTICATED, NOT_FOUND, SERVICE_RESTART, TOO_BIG, TOO_MANY, TRY_AGAIN_LATER
from realtime.credentials import Credentials
from realtime.frames import (
#% if cookiecutter.auth != "session"
    AuthRefresh,
#% endif
    ClientFrame,
    Connected,
    Error,
    Frame,
    FrameError,
    Inbox,
    Ping,
    Pong,
    Reconnect,
    Refused,
#% if cookiecutter.auth != "session"
    TokenExpiring,
#% endif
    UserInfo,
    to_text,
)
from realtime.hub import get_hub
from realtime.limits import FrameRate
from realtime.outbox import Outbox

logger = logging.getLogger("realtime")

MAX_MESSAGE_BYTES = settings.REALTIME["MAX_MESSAGE_BYTES"]
HEARTBEAT = settings.REALTIME["HEARTBEAT"]
ABNORMAL = 1006  # the code of a socket that ended without a close frame
#% if cookiecutter.auth != "session"
EXPIRY_NOTICE = 30  # seconds before a token ends at which the client is told
#% endif
#%%
EVERY_CONSUMER_SENDS = (
    Connected,
    Error,
    Pong,
    Reconnect,
#% if cookiecutter.auth != "session"
    TokenExpiring,
#% endif
)


class RealtimeConsumer(AsyncWebsocketConsumer):
    """A Channels consumer whose frames are typed and whose events come through the hub.

    A subclass declares what it takes by its handlers: each method with one parameter annotated with a
    `ClientFrame` gets the frames of that type. What it returns, a dict, goes into the reply. It may raise
    `FrameError`. `opened()` and `closed()` stand for Channels' `connect()` and `disconnect()`; the socket
    has been accepted and its user authenticated before `opened()`, which may raise `Refused`.
    """

    sends: ClassVar[tuple[type[Frame], ...]] = ()  # the frames that it sends, for the AsyncAPI document
    inbox: ClassVar[Inbox]
    handlers: ClassVar[dict[type[ClientFrame], str]]

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.handlers = {}
        for name, method in inspect.getmembers(cls, inspect.iscoroutinefunction):
            parameters = list(inspect.signature(method, eval_str=True).parameters.values())[1:]
            frame = parameters[0].annotation if len(parameters) == 1 else None
            if isinstance(frame, type) and issubclass(frame, ClientFrame):
                cls.handlers[frame] = name
        cls.inbox = Inbox(tuple(cls.handlers))
        cls.sends = tuple({**dict.fromkeys(cls.sends), **dict.fromkeys(EVERY_CONSUMER_SENDS)})

    # What a subclass has

    async def opened(self) -> Container[int] | None:
        """The socket is open: join groups; `greet`, if the first frame is to say more than usual.

        Events that arrive meanwhile are sent afterwards, except those whose keys are returned: they tell of
        what has just been sent from the database.
        """

    async def greet(self, frame: Frame) -> None:
        """Send the first frame, `connection_established`."""
        self._greeted = True
        await self.send_frame(frame)

    async def closed(self, code: int) -> None:
        """The socket is gone, however it ended; called if `opened` was. Groups are left without this."""

    @property
    def user_info(self) -> UserInfo:
        """The user as other clients see it."""
        return UserInfo(self.user.pk, self.user.get_username())

    def since(self) -> int | None:
        """The id in `?since=`: the last one that a client which comes back has seen."""
        value = parse_qs(self.scope["query_string"].decode("latin-1")).get("since", [""])[0]
        return int(value) if value.isdecimal() and len(value) < 19 else None

    async def join(self, group: str) -> None:
        """Get what is published to a group from now on."""
        self.joined.append(group)
        await self.hub.join(group, self)

    def spawn(self, coroutine) -> asyncio.Task:
        """Run long work beside the socket's frames; it is cancelled when the socket closes."""
        task = asyncio.create_task(coroutine)
        if self.tasks is None:
            self.tasks = set()
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def send_frame(self, frame: msgspec.Struct | dict[str, Any]) -> None:
        """Send a frame to this socket alone; nothing happens when the socket is gone."""
        if self.is_open:
            try:
                await self.base_send({"type": "websocket.send", "text": to_text(frame)})
            except OSError:  # what ASGI has servers raise when the client has left
                self.is_open = False

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket with a code and a reason; once is enough."""
        if self.is_open:
            self.is_open = False
            self.outbox.discard()
            with suppress(OSError):
                await self.base_send({"type": "websocket.close", "code": code, "reason": reason})

    # Frames that every consumer takes

    async def ping(self, frame: Ping) -> None:
        await self.send_frame(Pong())

#% if cookiecutter.auth != "session"
    async def refresh(self, frame: AuthRefresh) -> None:
        credentials = await aread_token(frame.token)
        if credentials is None or credentials.user.pk != self.user.pk:
            raise FrameError("not_allowed", "The token is not valid, or not this user's")
        self.watch(credentials)

#% endif
    # The life of a socket

    async def __call__(self, scope, receive, send) -> None:
        self.scope = scope
        self.base_send = send
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        self.hub = get_hub()
        self.outbox = Outbox(send, self._fell_behind)
        self.rate = FrameRate()
        self.socket_id = uuid4().hex
        self.joined: list[str] = []
        self.tasks: set[asyncio.Task] | None = None  # made when needed: it is 200 bytes
        self.is_open = self._entered = self._greeted = self._dropped = False
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        code = ABNORMAL
        await receive()  # websocket.connect
        try:
            await self._open()
            while (message := await receive())["type"] != "websocket.disconnect":
                if self.is_open:
                    await self._take(message)
            code = message.get("code", code)
        except asyncio.CancelledError:
            if not self._dropped:
                raise
        finally:
            await asyncio.shield(self.hub.spawn(self._clean_up(code)))

    async def _open(self) -> None:
        # Accept first, whatever follows: a close before accept reaches a browser as 1006, without its reason.
#% if cookiecutter.auth == "session"
        await self.accept()
#% else
        await self.accept("bearer" if "bearer" in self.scope["subprotocols"] else None)
#% endif
        self.is_open = True
        credentials = self.scope["credentials"]
        if self.hub.draining:
            return await self.close(SERVICE_RESTART, "The server restarts; come back in a moment")
        if credentials is None:
            return await self.close(NOT_AUTHENTICATED, "Log in first")
        self.user = credentials.user
        self.hub.sockets.add(self)
        try:
            await self.hub.start()
            if self.hub.was_kicked(self.user.pk, since=self.scope["authenticated_at"]):
                raise Refused(NOT_AUTHENTICATED, "Log in again")
            self._entered = True
            self.outbox.hold()
            for group in self.groups:
                await self.join(group)
            told = await self.opened()
            if not self._greeted:
                await self.greet(Connected(user=self.user_info, heartbeat=HEARTBEAT))
            self.outbox.release(told or ())
            self.watch(credentials)
        except Refused as refusal:
            await self.close(refusal.code, refusal.reason)
        except Exception:
            logger.exception("could not open %s for %s", self.scope["path"], self.user)
            await self.close(TRY_AGAIN_LATER, "Something is wrong on the server; try again later")

    async def _take(self, message: dict) -> None:
        text = message.get("text")
        data = message["bytes"] if text is None else text.encode(errors="surrogatepass")
        if len(data) > MAX_MESSAGE_BYTES:  # not every server can be told a limit
            await self.close(TOO_BIG, f"A frame holds at most {MAX_MESSAGE_BYTES} bytes")
        elif await self.rate.allow(self.user.pk):
            await self._answer(text)
        elif self.rate.exhausted:
            await self.close(TOO_MANY, "Too many frames")
        else:
            id = self.inbox.head(text).id if text else None
            await self.send_frame(Error(code="rate_limited", detail="Too many frames; slow down", id=id))

    async def _answer(self, text: str | None) -> None:
        id = None
        try:
            if text is None:
                raise FrameError("unsupported_data", "Frames are JSON text, not binary")
            frame = self.inbox.decode(text)
            id = frame.id
            result = await getattr(type(self), self.handlers[type(frame)])(self, frame)
        except FrameError as error:
            id = id if error.id is None else error.id
            await self.send_frame(Error(code=error.code, detail=error.detail, id=id))
        except Exception:
            logger.exception("%s failed on a frame from %s", type(self).__name__, self.user)
            detail = "Something went wrong on the server"
            await self.send_frame(Error(code="internal_error", detail=detail, id=id))
        else:
            if id is not None:
                await self.send_frame({"type": "reply", "id": id, "ok": True, **(result or {})})

    async def handle_event(self, name: str, event: dict) -> None:
        """Call the method that a plain `group_send` names, as Channels does."""
        try:
            await getattr(self, name)(event)
        except Exception:
            logger.exception("%s failed on the event %s", type(self).__name__, event["type"])

    async def _clean_up(self, code: int) -> None:
        self.is_open = False
        self.outbox.discard()
        self.rate.forget()
        if self._timer is not None:
            self._timer.cancel()
        for task in self.tasks or ():
            task.cancel()
        for group in self.joined:
            self.hub.leave(group, self)
        try:
            if self._entered:
                await self.closed(code)
        except Exception:
            logger.exception("%s failed to clean up", type(self).__name__)
        finally:
            self.hub.sockets.discard(self)

    # The end of a socket that is not the client's wish

    def watch(self, credentials: Credentials) -> None:
        """Close the socket when these credentials end."""
        if self._timer is not None:
            self._timer.cancel()
        if credentials.expires is not None:
            left = max(0, credentials.expires - time.time())
#% if cookiecutter.auth == "session"
            self._timer = self.hub.loop.call_later(left, self._expired)
#% else
            notice = min(left, EXPIRY_NOTICE) if credentials.renewable else 0
            self._timer = self.hub.loop.call_later(left - notice, self._expiring, notice)
#% endif
#%%
#% if cookiecutter.auth != "session"
    def _expiring(self, notice: float) -> None:
        self._timer = self.hub.loop.call_later(notice, self._expired)
        if notice:
            self.spawn(self.send_frame(TokenExpiring(seconds=round(notice))))

#% endif
    def _expired(self) -> None:
        self.spawn(self.close(NOT_AUTHENTICATED, "Your login has expired"))

    def _fell_behind(self) -> None:
        logger.warning("%s does not read what is sent; closing the socket", self.user)
        self.spawn(self._drop())

    async def _drop(self) -> None:
        # A close frame waits behind everything that the client has not read, so it is a matter of luck.
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.close(TRY_AGAIN_LATER, "You do not read what is sent; reconnect to catch up")
        self._dropped = True
        self._task.cancel()


class NoSuchSocket(RealtimeConsumer):
    """Answers on every path that leads nowhere else."""

    async def opened(self):
        raise Refused(NOT_FOUND, "There is no WebSocket here")
