"""The base of all consumers: opens, decodes, dispatches, answers and cleans up."""

import asyncio
import inspect
import logging
import time
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import parse_qs
from uuid import uuid4

import msgspec
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import OperationalError

from realtime import allowance
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
    Gap,
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
from realtime.history import PAGE, History
from realtime.hub import Group, get_hub
from realtime.limits import FrameRate
from realtime.outbox import MAX_FRAMES, Outbox
from realtime.revocation import login_of

logger = logging.getLogger("realtime")

MAX_MESSAGE_BYTES = settings.REALTIME["MAX_MESSAGE_BYTES"]
HEARTBEAT = settings.REALTIME["HEARTBEAT"]
CLOSE_SECONDS = 3  # for a client to read what comes before the close frame
ABNORMAL = 1006  # the code of a socket that ended without a close frame
#% if cookiecutter.auth != "session"
EXPIRY_NOTICE = 30  # seconds before a token ends at which the client is told
#% endif
#%%
EVERY_CONSUMER_SENDS = (
    Connected,
    Error,
    Gap,
    Pong,
    Reconnect,
#% if cookiecutter.auth != "session"
    TokenExpiring,
#% endif
)

# What Channels calls, and what is called here.
INSTEAD = {
    "connect": "`opened()`, which is called when the socket is accepted and its user known",
    "disconnect": "`closed(code)`",
    "receive": "a handler for each frame: `async def vote(self, frame: Vote)`",
    "receive_json": "a handler for each frame: `async def vote(self, frame: Vote)`",
}


class RealtimeConsumer(AsyncWebsocketConsumer):
    """A Channels consumer whose frames are typed and whose events come through the hub.

    A subclass declares what it takes by its handlers: each async method with one parameter annotated with a
    `ClientFrame` gets the frames of that type. What it returns, a dict, goes into the reply. It may raise
    `FrameError`. `opened()` and `closed()` stand for Channels' `connect()` and `disconnect()`; the socket
    has been accepted and its user authenticated before `opened()`, which may raise `Refused`. Frames and
    plain `group_send` events are handled one after the other.
    """

    sends: ClassVar[tuple[type[Frame], ...]] = ()  # the frames that it sends, for the AsyncAPI document
    inbox: ClassVar[Inbox]
    handlers: ClassVar[dict[type[ClientFrame], str]]

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name, instead in INSTEAD.items():
            if name in vars(cls):
                raise TypeError(f"{cls.__name__}.{name}() would never be called; write {instead}")
        cls.handlers = {}
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            frame = _frame_of(method)
            if frame is None:
                continue
            if not inspect.iscoroutinefunction(method):
                raise TypeError(f"{cls.__name__}.{name}() handles {frame.__name__}; make it `async def`")
            if frame in cls.handlers:
                both = f"{cls.handlers[frame]}() and {name}()"
                raise TypeError(f"{cls.__name__} has two handlers for {frame.__name__}: {both}")
            cls.handlers[frame] = name
        cls.inbox = Inbox(tuple(cls.handlers))
        cls.sends = tuple({**dict.fromkeys(cls.sends), **dict.fromkeys(EVERY_CONSUMER_SENDS)})

    # What a subclass has

    async def opened(self) -> None:
        """The socket is open: join groups; `greet`, if the first frame is to say more than usual."""

    async def greet(self, frame: Frame) -> None:
        """Send the first frame, `connection_established`; events that came before it follow."""
        self._greeted = True
        with suppress(OSError):
            await self.base_send({"type": "websocket.send", "text": to_text(frame)})
        self.outbox.release()

    async def closed(self, code: int) -> None:
        """The socket is gone, however it ended; called if `opened` was. Groups are left without this."""

    @property
    def user_info(self) -> UserInfo:
        """The user as other clients see it."""
        return UserInfo(self.user.pk, self.user.get_username())

    @property
    def takes_frames(self) -> bool:
        """Whether what is sent can still reach the client."""
        return self.is_open and not self.outbox.closed

    def since(self) -> int | None:
        """The id in `?since=`: the last one that a client which comes back has seen."""
        value = parse_qs(self.scope["query_string"].decode("latin-1")).get("since", [""])[0]
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None

    async def join(self, group: str, history: History | None = None) -> None:
        """Get what is published to a group from now on.

        With a history, in `opened()`, the client is first sent what it missed: all that came after `?since=`.
        """
        joined = await self.hub.join(group, self, history)
        self.joined.append((joined, history, joined.sequence.last))

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
        if not self._greeted:
            await self.greet(Connected(user=self.user_info, heartbeat=HEARTBEAT))
        if self.takes_frames:
            await self.outbox.send({"type": "websocket.send", "text": to_text(frame)})

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket with a code and a reason; once is enough."""
        if self.is_open:
            self.is_open = False
            self.outbox.discard()
            with suppress(OSError):  # what ASGI has servers raise when the client has left
                await self.base_send({"type": "websocket.close", "code": code, "reason": reason})

    async def send_away(self, after: float) -> None:
        """Close the socket, and have the client come back after so many seconds; once is enough."""
        if not self.takes_frames:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                if not self._greeted:
                    await self.greet(Connected(user=self.user_info, heartbeat=HEARTBEAT))
                await self.outbox.finish()
                if self.is_open:
                    frame = to_text(Reconnect(after=round(after, 2)))
                    with suppress(OSError):
                        await self.base_send({"type": "websocket.send", "text": frame})
                    await self.close(SERVICE_RESTART, "Come back in a moment")
        except TimeoutError:  # it does not read
            self.cut()

    def cut(self) -> None:
        """End the socket without the client, which may never answer; clean-up runs."""
        self.is_open = False
        self._cut = True
        self._task.cancel()
        if abort := self.scope.get("extensions", {}).get("realtime.abort"):
            abort()

    # Frames that every consumer takes

    async def ping(self, frame: Ping) -> None:
        await self.send_frame(Pong())

#% if cookiecutter.auth != "session"
    async def refresh(self, frame: AuthRefresh) -> None:
        credentials = await aread_token(frame.token)
        if credentials is None or credentials.user.pk != self.user.pk:
            raise FrameError("not_allowed", "The token is not valid, or not this user's")
        self.user, self.login = credentials.user, login_of(credentials.user)
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
        self.joined: list[tuple[Group, History | None, int | None]] = []  # and its newest key then
        self.tasks: set[asyncio.Task] | None = None  # made when needed: it is 200 bytes
        self.is_open = self._entered = self._greeted = self._cut = False
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self.opened_at = scope["authenticated_at"]  # by the loop's clock
        self._turn = asyncio.Lock()  # one frame or plain event at a time
        self._events = 0  # plain events that wait for their turn
        code = ABNORMAL
        await receive()  # websocket.connect
        try:
            async with self._turn:
                await self._open()
            while (message := await receive())["type"] != "websocket.disconnect":
                if self.is_open:
                    async with self._turn:
                        await self._take(message)
            code = message.get("code", code)
        except asyncio.CancelledError:
            if not self._cut:
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
        try:
            credentials = self._admitted()
            self.user, self.login = credentials.user, login_of(credentials.user)
            self._check_limits()
            self.hub.add(self)
            await self.hub.start()
            if self.hub.revocation.was_kicked(self.user.pk, since=self.opened_at):
                raise Refused(NOT_AUTHENTICATED, "Log in again")
            self._entered = True
            self.outbox.hold()
            for group in self.groups:
                await self.join(group)
            await self.opened()
            if not self._greeted:
                await self.greet(Connected(user=self.user_info, heartbeat=HEARTBEAT))
            for group, history, now in self.joined:
                if history is not None:
                    await self._catch_up(group, history, now)
            self.watch(credentials)
        except Refused as refusal:
            await self.close(refusal.code, refusal.reason)
        except (OSError, OperationalError) as error:  # what the socket needs is away
            logger.warning("could not open %s: %r", self.scope["path"], error)
            await self.close(TRY_AGAIN_LATER, "Something is wrong on the server; try again later")
        except Exception:
            logger.exception("could not open %s", self.scope["path"])
            await self.close(TRY_AGAIN_LATER, "Something is wrong on the server; try again later")

    def _admitted(self) -> Credentials:
        """Who the client is, unless it may not, or not now, come in."""
        credentials = self.scope["credentials"]
        if self.hub.draining:
            raise Refused(SERVICE_RESTART, "The server restarts; come back in a moment")
        if credentials is None:
            raise Refused(NOT_AUTHENTICATED, "Log in first")
        if isinstance(credentials, Refused):
            raise credentials
        return credentials

    def _check_limits(self) -> None:
        if len(self.hub.sockets) >= settings.REALTIME["MAX_SOCKETS"]:
            raise Refused(TRY_AGAIN_LATER, "Too many are connected; try again later")
        if len(self.hub.of_user.get(self.user.pk, ())) >= settings.REALTIME["MAX_SOCKETS_PER_USER"]:
            raise Refused(TOO_MANY, "You have too many connections")

    async def _catch_up(self, group: Group, history: History, now: int | None) -> None:
        """Send what is stored after `?since=`, until the client is level with what is handed out live."""
        since = self.since()
        now = await history.newest() if now is None else now
        rows, position, until, page = await history.begin(since, now)
        if since is not None and position != since:
            await self.send_frame(Gap(asked=since, resumed=position))
        while self.takes_frames:
            for key, frame in page:
                await self.send_frame(frame)
                position = key
            if len(page) < PAGE:
                if until is not None:  # what was not seen is sent; from here on all that is new
                    rows, position, until = history.rows, until, None
                if self.hub.is_level(group, self, position):
                    return
            page = await history.page(rows, position, until)

    async def _take(self, message: dict) -> None:
        text = message.get("text")
        data = message["bytes"] if text is None else text.encode(errors="surrogatepass")
        if len(data) > MAX_MESSAGE_BYTES:  # not every server can be told a limit
            await self.close(TOO_BIG, f"A frame holds at most {MAX_MESSAGE_BYTES} bytes")
        elif await self.rate.allow(self.user.pk, len(data)):
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

    def take_event(self, name: str, event: dict) -> None:
        """Have the method called that a plain `group_send` names, after what came before."""
        self._events += 1
        if self._events > MAX_FRAMES:
            self._fell_behind()
        elif self.is_open:
            self.spawn(self._handle_event(name, event))

    async def _handle_event(self, name: str, event: dict) -> None:
        try:
            async with self._turn:
                await getattr(self, name)(event)
        except Exception:
            logger.exception("%s failed on the event %s", type(self).__name__, event["type"])
        finally:
            self._events -= 1

    async def _clean_up(self, code: int) -> None:
        self.is_open = False
        self.outbox.discard()
        if self._timer is not None:
            self._timer.cancel()
        for task in self.tasks or ():
            task.cancel()
        for group, *_ in self.joined:
            self.hub.leave(group, self)
        try:
            if self._entered:
                await self.closed(code)
        except OSError as error:
            logger.warning("%s could not clean up: %r", type(self).__name__, error)
        except Exception:
            logger.exception("%s failed to clean up", type(self).__name__)
        finally:
            if self in self.hub.sockets and self.hub.remove(self):
                allowance.forget(self.user.pk)

    # The end of a socket that is not the client's wish

    def watch(self, credentials: Credentials) -> None:
        """Close the socket when these credentials end."""
        if self._timer is not None:
            self._timer.cancel()
        if credentials.expires is not None and self.is_open:
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
        if self.is_open:
            logger.warning("%s does not read what is sent; closing the socket", self.user)
            self.spawn(self._drop())

    async def _drop(self) -> None:
        # A close frame waits behind everything that the client has not read, so it is a matter of luck.
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.close(TRY_AGAIN_LATER, "You do not read what is sent; reconnect to catch up")
        self.cut()


def _frame_of(method) -> type[ClientFrame] | None:
    """The type of the frames that a method handles, by the annotation of its one parameter."""
    parameters = list(inspect.signature(method, eval_str=True).parameters.values())[1:]
    frame = parameters[0].annotation if len(parameters) == 1 else None
    if frame is inspect.Parameter.empty and parameters[0].name == "frame":
        raise TypeError(f"{method.__qualname__}(frame) does not say which frames it handles; annotate it")
    return frame if isinstance(frame, type) and issubclass(frame, ClientFrame) else None


class NoSuchSocket(RealtimeConsumer):
    """Answers on every path that leads nowhere else."""

    async def opened(self):
        raise Refused(NOT_FOUND, "There is no WebSocket here")
