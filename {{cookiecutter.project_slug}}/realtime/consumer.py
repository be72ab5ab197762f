"""The base of all consumers, and the life of a socket: it opens, takes frames, and is cleaned up after.

What a consumer can do is in layers: `Connection` sends and closes, `Expiry` knows whose the socket is and
until when, `Dispatcher` takes frames, and `RealtimeConsumer` is the life.
"""

import asyncio
import logging
from contextvars import copy_context
from typing import ClassVar

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import OperationalError

from realtime import allowance
from realtime.codes import NOT_AUTHENTICATED, NOT_FOUND, SERVICE_RESTART, TOO_MANY, TRY_AGAIN_LATER
from realtime.connection import HEARTBEAT as HEARTBEAT
from realtime.credentials import Credentials, in_query
from realtime.dispatch import Dispatcher
from realtime.frames import Gap, Refused
from realtime.group import Group
from realtime.history import PAGE, History
from realtime.hub import get_hub
from realtime.stats import stats

logger = logging.getLogger("realtime")
socket_log = logging.getLogger("realtime.sockets")  # LOG_SOCKETS=false turns it off

DOCTOR = "/ws/doctor/"
ABNORMAL = 1006  # the code of a socket that ended without a close frame
CLIENT_CODES = range(1000, 1016)  # that are counted by themselves; a client may invent thousands


class RealtimeConsumer(Dispatcher):
    """A Channels consumer whose frames are typed and whose events come through the hub.

    A subclass declares what it takes by its handlers: each async method with one parameter annotated with a
    `ClientFrame` gets the frames of that type. What it returns, a struct or a dict, goes into the reply. It
    may raise `FrameError`. `opened()` and `closed()` stand for Channels' `connect()` and `disconnect()`;
    the socket has been accepted and its user authenticated before `opened()`, which may raise `Refused`.
    Frames and plain `group_send` events are handled one after the other.

    With `guests = True` also those come in who offer no proof; `user` is an `AnonymousUser` then. Its pk is
    None, which `publish` takes for all in `to` and for none in `exclude`: answer a guest by `send_frame`.
    """

    guests: ClassVar[bool] = False

    async def opened(self) -> None:
        """The socket is open: join groups; `greet`, if the first frame is to say more than usual."""

    async def caught_up(self) -> None:
        """What the client missed has been sent, after `opened()`: from here on all that is new comes live."""

    async def closed(self, code: int) -> None:
        """The socket is gone, however it ended; called if `opened` was. Groups are left without this."""

    async def join(self, group: str, history: History | None = None) -> None:
        """Get what is published to a group from now on.

        With a history, in `opened()`, the client is first sent what it missed: all that came after `?since=`.
        """
        joined = await self.hub.join(group, self, history)
        self.joined.append((joined, history, joined.sequence.last))

    def since(self) -> int | None:
        """The id in `?since=`: the last one that a client which comes back has seen."""
        value = in_query(self.scope, "since") or ""
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None

    async def __call__(self, scope, receive, send) -> None:
        if "credentials" not in scope:
            name = type(self).__name__
            raise RuntimeError(f"{name} needs WebSocketAuthMiddleware; call config.asgi.application")
        self._begin(scope, send)
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        self.hub = get_hub()
        self.socket_id = scope["socket_id"]
        self.opened_at = scope["authenticated_at"]  # by the loop's clock
        self.joined: list[tuple[Group, History | None, int | None]] = []  # and its newest key then
        self._entered = False
        code = ABNORMAL
        await receive()  # websocket.connect
        stats.opened[type(self).__name__] += 1
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
            await asyncio.shield(self.hub.spawn(self._clean_up(code), copy_context()))

    async def _open(self) -> None:
        # Accept first, whatever follows: a close before accept reaches a browser as 1006, without its reason.
        await self.accept(self.scope["subprotocol"])
        self.is_open = True
        try:
            self._authenticate(self._admitted())
            self._check_limits()
            self.hub.sockets.add(self)
            await self.hub.start()
            if self.hub.revocation.was_kicked(self.owner, since=self.opened_at):
                raise Refused(NOT_AUTHENTICATED, "Log in again")
            self._entered = True
            self.outbox.hold()
            for group in self.groups:
                await self.join(group)
            await self.opened()
            if not self._greeted:
                await self.greet()
            self._log("opened")
            self._watch_expiry()
            for group, history, now in self.joined:
                if history is not None:
                    await self._resume(group, history, now)
            await self.caught_up()
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
        if isinstance(credentials, Refused):
            raise credentials
        if credentials.user.is_anonymous and not self.guests:
            raise Refused(NOT_AUTHENTICATED, "Log in first")
        return credentials

    def _check_limits(self) -> None:
        if len(self.hub.sockets) >= settings.REALTIME["MAX_SOCKETS"]:
            raise Refused(TRY_AGAIN_LATER, "Too many are connected; try again later")
        limit = "MAX_SOCKETS_PER_ADDRESS" if self.user.is_anonymous else "MAX_SOCKETS_PER_USER"
        if len(self.hub.sockets.beside(self)) >= settings.REALTIME[limit]:
            raise Refused(TOO_MANY, "You have too many connections")

    async def _resume(self, group: Group, history: History, now: int | None) -> None:
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
                if group.is_level(self, position):
                    return
            page = await history.page(rows, position, until)

    async def _clean_up(self, code: int) -> None:
        self.is_open = False
        self.outbox.discard()
        self._unwatch_expiry()
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
            code = self.closed_with or code
            known = self.closed_with or code in CLIENT_CODES
            stats.closed[type(self).__name__, code if known else "other"] += 1
            duration = round(self.hub.loop.time() - self.opened_at, 3)
            self._log(f"closed with {code} after {duration} s", code=code, duration=duration)
            stats.sent += self.outbox.sent
            if self in self.hub.sockets and self.hub.sockets.remove(self):
                allowance.forget(self.owner)

    def _log(self, what: str, **fields) -> None:
        fields["consumer"] = type(self).__name__
        socket_log.info("%s %s %s", self.scope["path"], fields["consumer"], what, extra=fields)


class OtherPaths(RealtimeConsumer):
    """Answers on every path that leads nowhere else, and `manage.py test_websocket` on one of these."""

    async def opened(self):
        if self.scope["path"] != DOCTOR:
            raise Refused(NOT_FOUND, "There is no WebSocket here")
        await self.join(f"doctor.{self.user.pk}")
        client, headers = (self.scope.get("client") or [""])[0], dict(self.scope["headers"])
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
        seen = {"client": client, "forwarded": forwarded, "scheme": self.scope.get("scheme", "ws")}
        await self.send_frame({"type": "seen", **seen})
