"""Many WebSockets over one: a topic is a path, and its consumer does as if it had a socket of its own."""

import asyncio
import logging
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from channels.routing import URLRouter
from django.conf import settings
from django.contrib.auth import get_user_model
from msgspec import Meta

from realtime.asyncapi import is_ours
from realtime.auth import Found, identify, told
from realtime.codes import NOT_ALLOWED, NOT_AUTHENTICATED, NOT_SHARED, SERVICE_RESTART
from realtime.consumer import RealtimeConsumer
from realtime.credentials import Credentials
from realtime.database import in_database
from realtime.dispatch import fields_of, has_fields
from realtime.frames import ClientFrame, Error, Frame, FrameError, Refused, encode
from realtime.log_context import log_context
from realtime.revocation import login_of
from realtime.routes import Route, flatten
from realtime.stats import stats

logger = logging.getLogger("realtime")

MAX_TOPICS = settings.REALTIME["MAX_TOPICS"]
MAX_WAITING = 100  # frames that wait for the consumer of a topic
MAX_WAITING_SIZE = 1_048_576  # characters in those of all topics of a socket
FRESH_SECONDS = 10  # after the handshake for which its user is taken as they were then
FAILED = 1011  # of a topic, as servers close when an application fails


class Subscribe(ClientFrame, tag="subscribe"):
    """Open a topic: a path, as of a socket of its own, with its query if it has one.

    From here on all its frames have `topic`, in both directions. A `#fragment`, which only comes back, tells
    two subscriptions of one path apart. `since` is what a socket would be opened with as `?since=`.
    """

    topic: Annotated[str, Meta(pattern="^/", max_length=2000)]
    since: Annotated[int, Meta(ge=0)] | None = None


class Unsubscribe(ClientFrame, tag="unsubscribe"):
    """Close a topic."""

    topic: str


class TopicClosed(Frame, tag="closed"):
    """A topic has ended, or was refused, with the code and the reason that a socket would."""

    topic: str
    code: int
    reason: str


class TopicError(Error, tag="error", omit_defaults=True):
    """A frame was not carried out, and did not reach the topic that it names, if it names one."""

    topic: str | None = None


class _Head(msgspec.Struct):
    type: str = ""
    topic: str | None = None


OWN = {"subscribe", "unsubscribe"}  # the frames of a client that are about a topic, and not for it
_decode_head = msgspec.json.Decoder(_Head).decode


class TopicsConsumer(RealtimeConsumer):
    """The other WebSockets over this one: `subscribe` to their paths, which are the topics.

    Of what may not come in, or comes to its end, `closed` tells, and the other topics go on. There is one
    login for all: `token_expiring` and `auth.refresh` have no topic.
    """

    guests = True  # the consumers say whether theirs
    sends = (TopicClosed, TopicError)

    def _begin(self, scope, send) -> None:
        self.send_now = send
        self.line = asyncio.Lock()  # topics send in turn: one that sends much takes no more than its part
        super()._begin(scope, self._send_in_turn)
        self.topics: dict[str, Topic] = {}
        self.running: set[Topic] = set()  # also those whose consumers have not cleaned up yet
        self.waiting = 0  # characters in what waits for the consumers of all topics
        self._about: str | None = None  # the topic that the present frame names
        self._serial = 0

    async def _send_in_turn(self, message: dict) -> None:
        if message["type"] != "websocket.send":
            return await self.send_now(message)
        async with self.line:
            await self.send_now(message)

    async def opened(self):
        if self.user.is_anonymous and not any(map(admits_guests, routes()[1])):
            raise Refused(NOT_AUTHENTICATED, "Log in first")

    async def subscribe(self, frame: Subscribe) -> None:
        if frame.topic in self.topics:
            raise FrameError("already_subscribed", "A #fragment tells two subscriptions of a topic apart")
        if len(self.running) >= MAX_TOPICS:
            raise FrameError("too_many_topics", f"A socket has at most {MAX_TOPICS} topics")
        self._serial += 1
        topic = Topic(self, frame.topic, self._scope(frame.topic, frame.since))
        self.topics[topic.name] = topic
        self.running.add(topic)
        self.hub.spawn(topic.run(), copy_context())

    async def unsubscribe(self, frame: Unsubscribe) -> None:
        if frame.topic not in self.topics:
            raise FrameError("not_subscribed", "There is no such topic here")
        self.topics[frame.topic].leave(1000)

    def _scope(self, topic: str, since: int | None) -> dict[str, Any]:
        """The scope of a topic: that of a socket which the same client has opened by its path."""
        path, _, query = topic.partition("#")[0].partition("?")
        if since is not None:
            query = f"{query}&since={since}".removeprefix("&")
        scope = self.scope | {
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "subprotocols": [],
            "subprotocol": None,
            "authenticated_at": self.hub.loop.time(),
            "socket_id": f"{self.socket_id}.{self._serial}",
        }
        del scope["path_remaining"], scope["url_route"]
        return scope

    async def credentials(self) -> Found:
        """Whose a new topic is. When the login ends is up to the whole socket."""
        own = replace(self._credentials, expires=None, renew=None)
        is_fresh = self.hub.loop.time() < self.opened_at + FRESH_SECONDS
        return own if is_fresh or self.user.is_anonymous else await identify(read_anew, own)

    # Frames

    async def _take(self, message: dict) -> None:
        """Hand a frame to its topic, which limits what it takes, as do the limits here for all the rest."""
        head = head_of(message.get("text"))
        self._about = head.topic
        topic = None if head.type in OWN else self.topics.get(head.topic or "")
        if topic is None or not topic.take(message):
            await super()._take(message)

    async def _answer(self, text: str | None) -> None:
        if self._about is None or head_of(text).type in OWN:
            await super()._answer(text)
            return
        id = self.inbox.head(text or "").id
        if self._about in self.topics:
            await self._send_error("rate_limited", "Too many frames wait for this topic; slow down", id)
        else:
            await self._send_error("not_subscribed", "There is no such topic here; subscribe first", id)

    async def _send_error(self, code: str, detail: str, id: int | str | None) -> None:
        stats.errors[code] += 1
        await self.send_frame(TopicError(code=code, detail=detail, id=id, topic=self._about))

    # The end

    async def reconnect(self, after: float) -> None:
        """Have the client come back; the topics first, which may have something to say until then."""
        ids = {topic.scope["socket_id"] for topic in self.running}
        own = [each for each in self.hub.sockets.beside(self) if each.socket_id in ids]
        try:
            await asyncio.gather(*(each.reconnect(after) for each in own))
            for plain in tuple(self.topics.values()):
                await plain.close(SERVICE_RESTART, "Come back in a moment")
        finally:
            await super().reconnect(after)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self.is_open:
            await self.closed(code)
        await super().close(code, reason)

    async def closed(self, code: int) -> None:
        for topic in tuple(self.topics.values()):
            topic.leave(code)


class Topic:
    """The application behind a path, which a socket is the server of."""

    def __init__(self, socket: TopicsConsumer, name: str, scope: dict[str, Any]):
        self.socket = socket
        self.name = name
        self.scope = scope | {"extensions": {"realtime.abort": self._abort}}
        self._end = f',"topic":{encode(name).decode()}}}'  # of each frame
        self._inbox: asyncio.Queue[dict] = asyncio.Queue()
        self._connected = self._accepted = self._told = False
        self._left = False  # nothing comes from here any more, or gets here

    async def run(self) -> None:
        log_context.set(self.scope)
        try:
            router, known = routes()
            consumer = next(each.consumer for each in known if each.takes(self.scope["path"]))
            if not can_be_a_topic(consumer):
                return await self._refuse("its frames could not be told apart from those here")
            found = await self.socket.credentials()
            if self._left:  # meanwhile
                return
            scope = self.scope | {"credentials": found} | told(found)
            await router(scope, self._receive, self._send)
            await self.close(1000, "")
        except Exception:
            logger.exception("%s failed as a topic", self.scope["path"])
            await self.close(FAILED, "Something went wrong on the server")
        finally:
            self.socket.running.discard(self)

    def take(self, message: dict) -> bool:
        """Have the consumer get a frame of the client; False if too much waits for it already."""
        size = len(message["text"])
        if self._inbox.qsize() >= MAX_WAITING or self.socket.waiting + size > MAX_WAITING_SIZE:
            return False
        self.socket.waiting += size
        self._inbox.put_nowait(message)
        return True

    async def _receive(self) -> dict:
        if not self._connected:  # not from the inbox, which `leave` empties
            self._connected = True
            return {"type": "websocket.connect"}
        message = await self._inbox.get()
        self.socket.waiting -= len(message.get("text", ""))
        return message

    async def _send(self, message: dict) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            self._accepted = True
        elif kind == "websocket.close":
            code = message.get("code") or 1000
            await self.close(code if self._accepted else NOT_ALLOWED, message.get("reason") or "")
        elif kind == "websocket.send":
            text = message.get("text") or ""
            if not text.startswith("{") or not text.endswith("}"):
                await self._refuse("it sends what is no JSON object")
                return
            text = text[:-1] + self._end if len(text) > 2 else "{" + self._end[1:]
            async with self.socket.line:
                if not self._left and self.socket.is_open:
                    await self.socket.send_now({"type": "websocket.send", "text": text})

    async def _refuse(self, why: str) -> None:
        await self.close(NOT_SHARED, f"Open a socket of its own: {why}")

    async def close(self, code: int, reason: str) -> None:
        """End the topic, and tell the client; once is enough."""
        if self._left:
            return
        self.leave(code)
        if self.socket.is_open:
            with suppress(OSError):
                await self.socket.send_frame(TopicClosed(topic=self.name, code=code, reason=reason))
            self._told = True

    def leave(self, code: int) -> None:
        """The client has left, as far as the consumer goes."""
        if self._left:
            return
        self._left = True
        while not self._inbox.empty():
            self.socket.waiting -= len(self._inbox.get_nowait().get("text", ""))
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": code})
        if self.socket.topics.get(self.name) is self:
            del self.socket.topics[self.name]

    def _abort(self) -> None:
        """The client does not read what comes from here; unless it has read the end of it, it is stuck."""
        if not self._told:
            self.socket.cut()


@in_database
def read_anew(credentials: Credentials) -> Found:
    """The user as they are now, as after a handshake."""
    pk: Any = credentials.user.pk
    user = get_user_model()._default_manager.filter(pk=pk).first()
    if user is None or login_of(user) != login_of(credentials.user):
        return Refused(NOT_AUTHENTICATED, "Log in again")
    return replace(credentials, user=user)


@cache
def routes() -> tuple[URLRouter, list[Route]]:
    """Where topics lead: as an application, and to look at."""
    patterns = import_module("config.routing").websocket_urlpatterns
    return URLRouter(patterns), list(flatten(patterns))


def admits_guests(route: Route) -> bool:
    """Whether a guest may get anything there, or nobody knows."""
    return not is_ours(route.consumer) or (route.consumer.guests and can_be_a_topic(route.consumer))


@cache
def can_be_a_topic(consumer: Any) -> bool:
    """Whether the frames of a consumer can be told from those that are about topics."""
    if not is_ours(consumer):
        return True  # as far as anybody knows
    frames = (*consumer.handlers, *consumer.sends)
    tags = {frame.__struct_config__.tag for frame in frames}
    with_fields = (*frames, *filter(has_fields, consumer.replies.values()))
    fields = {name for each in with_fields for name in fields_of(each)}
    return "topic" not in fields and tags.isdisjoint(OWN | {"closed"})


def head_of(text: str | None) -> _Head:
    """What a frame says of where it belongs; nothing, if it is none."""
    try:
        return _decode_head(text or "")
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return _Head()
