"""Dispatch: a consumer declares by its handlers which frames it takes; each frame goes to its own."""

import asyncio
import inspect
import logging
from typing import Any, ClassVar, get_origin, is_typeddict

import msgspec
from django.conf import settings

from realtime.codes import TOO_BIG, TOO_MANY
from realtime.expiry import Expiry
from realtime.frames import (
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
    TokenExpiring,
)
from realtime.limits import FrameRate
from realtime.outbox import MAX_FRAMES
from realtime.stats import stats

logger = logging.getLogger("realtime")

MAX_MESSAGE_BYTES = settings.REALTIME["MAX_MESSAGE_BYTES"]
REPLY = {"type", "id", "ok"}  # what is in every reply
EVERY_CONSUMER_SENDS = (Connected, Error, Gap, Pong, Reconnect, TokenExpiring)

# What Channels calls, and what is called here.
INSTEAD = {
    "connect": "`opened()`, which is called when the socket is accepted and its user known",
    "disconnect": "`closed(code)`",
    "receive": "a handler for each frame: `async def vote(self, frame: Vote)`",
    "receive_json": "a handler for each frame: `async def vote(self, frame: Vote)`",
}


class Dispatcher(Expiry):
    """Decodes frames, and calls their handlers one after the other."""

    sends: ClassVar[tuple[type[Frame], ...]] = ()  # the frames that it sends, for the AsyncAPI document
    resumes_by: ClassVar[str | None] = None  # the field of what it sends that `?since=` means, for the same
    inbox: ClassVar[Inbox]
    handlers: ClassVar[dict[type[ClientFrame], str]]
    replies: ClassVar[dict[type[ClientFrame], Any]]  # what their handlers are annotated to return

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name, instead in INSTEAD.items():
            if name in vars(cls):
                raise TypeError(f"{cls.__name__}.{name}() would never be called; write {instead}")
        cls.handlers, cls.replies = {}, {}
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            frame = _frame_of(method)
            if frame is None:
                continue
            hidden = getattr(super(cls, cls), name, None)
            if hidden is not None and _frame_of(hidden) is None:
                raise TypeError(f"{cls.__name__}.{name}() would replace a method of the core; rename it")
            if not inspect.iscoroutinefunction(method):
                raise TypeError(f"{cls.__name__}.{name}() handles {frame.__name__}; make it `async def`")
            if frame in cls.handlers:
                both = f"{cls.handlers[frame]}() and {name}()"
                raise TypeError(f"{cls.__name__} has two handlers for {frame.__name__}: {both}")
            cls.handlers[frame] = name
            cls.replies[frame] = _returned(method)
        cls.inbox = Inbox(tuple(cls.handlers))
        sends = dict.fromkeys((*cls.sends, *EVERY_CONSUMER_SENDS))
        cls.sends = tuple(frame for frame in sends if not any(_replaces(other, frame) for other in sends))

    def _begin(self, scope, send) -> None:
        super()._begin(scope, send)
        self.rate = FrameRate()
        self.received = 0  # frames
        self._turn = asyncio.Lock()  # one frame or plain event at a time
        self._events = 0  # plain events that wait for their turn

    async def ping(self, frame: Ping) -> None:
        await self.send_frame(Pong())

    async def _take(self, message: dict) -> None:
        """Take what a client has sent, unless it sends too much."""
        self.received += 1
        text = message.get("text")
        data = message["bytes"] if text is None else text.encode(errors="surrogatepass")
        if len(data) > MAX_MESSAGE_BYTES:  # not every server can be told a limit
            await self.close(TOO_BIG, f"A frame holds at most {MAX_MESSAGE_BYTES} bytes")
        elif await self.rate.allow(self.owner, len(data)):
            await self._answer(text)
        elif self.rate.exhausted:
            await self.close(TOO_MANY, "Too many frames")
        else:
            id = self.inbox.head(text).id if text else None
            await self._send_error("rate_limited", "Too many frames; slow down", id)

    async def _answer(self, text: str | None) -> None:
        id = None
        try:
            if text is None:
                raise FrameError("unsupported_data", "Frames are JSON text, not binary")
            frame = self.inbox.decode(text)
            id = frame.id
            stats.received[type(self).__name__, frame.__struct_config__.tag] += 1
            handler = self.handlers[type(frame)]
            result = await getattr(type(self), handler)(self, frame)
            if id is not None:
                await self.send_frame(_reply(id, result, handler))
        except FrameError as error:
            id = id if error.id is None else error.id
            await self._send_error(error.code, error.detail, id)
        except Exception:
            logger.exception("%s failed on a frame", type(self).__name__)
            await self._send_error("internal_error", "Something went wrong on the server", id)

    async def _send_error(self, code: str, detail: str, id: int | str | None) -> None:
        stats.errors[code] += 1
        await self.send_frame(Error(code=code, detail=detail, id=id))

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


def _reply(id: int | str, result: Any, handler: str) -> dict[str, Any]:
    """The frame that answers another one, with what its handler has returned."""
    fields = msgspec.to_builtins(result) if isinstance(result, msgspec.Struct) else result or {}
    if not isinstance(fields, dict) or not fields.keys().isdisjoint(REPLY):
        own = ", ".join(sorted(REPLY))
        may = f"may return a Struct or a dict without {own}, or nothing"
        raise TypeError(f"{handler}() {may}, and not {result!r:.200}")
    return {"type": "reply", "id": id, "ok": True, **fields}


def _frame_of(method) -> type[ClientFrame] | None:
    """The type of the frames that a method handles, by the annotation of its one parameter."""
    parameters = list(inspect.signature(method, eval_str=True).parameters.values())[1:]
    frame = parameters[0].annotation if len(parameters) == 1 else None
    if frame is inspect.Parameter.empty and parameters[0].name == "frame":
        raise TypeError(f"{method.__qualname__}(frame) does not say which frames it handles; annotate it")
    return frame if isinstance(frame, type) and issubclass(frame, ClientFrame) else None


def _returned(method) -> Any:
    """What the handler is annotated to return; a reply has to be able to hold it."""
    returned = inspect.signature(method, eval_str=True).return_annotation
    if returned is inspect.Parameter.empty:
        return None
    if has_fields(returned):
        taken = sorted(REPLY & fields_of(returned))
        if taken:
            named = f"{method.__qualname__}() returns {returned.__name__}"
            raise TypeError(f"{named}, but every reply has its own {', '.join(taken)}; return a plain Struct")
    return returned


def has_fields(kind: Any) -> bool:
    """Whether a type is a struct or a `TypedDict`, of which a reply may have the fields."""
    kind = get_origin(kind) or kind
    return is_typeddict(kind) or (isinstance(kind, type) and issubclass(kind, msgspec.Struct))


def fields_of(kind: Any) -> set[str]:
    """The fields of a struct or a `TypedDict`, as clients see them."""
    kind = get_origin(kind) or kind
    if is_typeddict(kind):
        return set(kind.__annotations__)
    config = kind.__struct_config__
    return {*kind.__struct_encode_fields__} | ({config.tag_field} if config.tag_field else set())


def _replaces(other: type[Frame], frame: type[Frame]) -> bool:
    """Whether another frame, which is sent too, is this one with more in it, of the same type."""
    same = other.__struct_config__.tag == frame.__struct_config__.tag
    return same and other is not frame and issubclass(other, frame)
