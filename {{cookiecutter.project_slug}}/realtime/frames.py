"""Frames: the typed JSON objects that travel over a WebSocket, told apart by their `type`."""

import operator
from functools import reduce
from typing import Any

import msgspec

encode = msgspec.json.Encoder().encode


class Frame(msgspec.Struct, tag_field="type", kw_only=True):
    """Base of the frames that the server sends; a subclass names its type with `tag=`."""


class ClientFrame(msgspec.Struct, tag_field="type", kw_only=True):
    """Base of the frames that a client sends; one with an `id` is answered with that id."""

    id: int | str | None = None


class Ping(ClientFrame, tag="ping"):
    """Answered with `pong`: send one now and then to notice a dead connection."""


class Pong(Frame, tag="pong"):
    """The connection is alive."""


class Reply(Frame, tag="reply"):
    """A frame with this `id` was carried out."""

    id: int | str
    ok: bool


class Error(Frame, tag="error", omit_defaults=True):
    """A frame was not carried out; `id` is that of the frame, if it had one."""

    code: str
    detail: str
    id: int | str | None = None


class Reconnect(Frame, tag="reconnect"):
    """The server is about to close: come back after so many seconds, which differ from client to client."""

    after: float


class Gap(Frame, tag="gap"):
    """Of what a client missed, only what came after `resumed` follows; it had asked for all after `asked`.

    Either it missed too much, or it is ahead of the database, which was restored from a backup.
    """

    asked: int
    resumed: int


class UserInfo(msgspec.Struct):
    """A user as others see it. A guest has no id, and an empty name."""

    id: int | None
    username: str


class Connected(Frame, tag="connection_established"):
    """The first frame on every socket; a consumer may send one that says more."""

    user: UserInfo
    heartbeat: int  # seconds between pings


class AuthRefresh(ClientFrame, tag="auth.refresh"):
    """Go on with a newer token, if the socket was opened with one."""

    token: str


class TokenExpiring(Frame, tag="token_expiring", rename={"seconds": "in"}):
    """The token that the socket was opened with, or got last, ends in so many seconds."""

    seconds: int


class FrameError(Exception):
    """Raised by a handler to answer a frame with an `error` frame; the socket stays open.

    `code` is one of `not_allowed`, `not_found`, `invalid_message`, or a name of your own.
    """

    def __init__(self, code: str, detail: str, id: int | str | None = None):
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.id = id


class Refused(Exception):
    """Raised while a socket opens to close it with a code (4000 to 4999) and a reason."""

    def __init__(self, code: int, reason: str):
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


def is_frame(kind: Any) -> bool:
    """Whether a type is that of frames, and not of what is in one."""
    return isinstance(kind, type) and issubclass(kind, Frame | ClientFrame)


def to_text(frame: msgspec.Struct | dict[str, Any]) -> str:
    """Encode a frame once, as the text that every recipient gets."""
    return encode(frame).decode()


class _Head(msgspec.Struct):
    type: Any = None
    id: Any = None


class Inbox:
    """Decodes the frames that a consumer takes, given as their structs."""

    def __init__(self, frames: tuple[type[ClientFrame], ...]):
        self.types: dict[str, type[ClientFrame]] = {}
        for frame in frames:
            tag = str(frame.__struct_config__.tag)
            other = self.types.setdefault(tag, frame)
            if other is not frame:
                both = f"{other.__qualname__} and {frame.__qualname__}"
                raise TypeError(f"{both} are both of type {tag!r}; give one of them another `tag`")
        self._decode = msgspec.json.Decoder(reduce(operator.or_, frames)).decode
        self._decode_head = msgspec.json.Decoder(_Head).decode

    def decode(self, text: str) -> ClientFrame:
        """Raise `FrameError`: `invalid_json`, `unknown_type` or `invalid_message`, with the id if known."""
        try:
            return self._decode(text)
        except msgspec.ValidationError as error:
            code, detail = "invalid_message", str(error)
        except RecursionError:
            raise FrameError("invalid_message", "The frame is nested too deeply") from None
        except (msgspec.DecodeError, UnicodeError) as error:
            raise FrameError("invalid_json", str(error)) from None
        head = self.head(text)
        if not isinstance(head.type, str):
            code, detail = "invalid_message", "A frame is an object with a `type`, which is a string"
        elif head.type not in self.types:
            code = "unknown_type"
            detail = f"Unknown type {head.type!r:.50}; known are {', '.join(sorted(self.types))}"
        raise FrameError(code, detail, head.id)

    def head(self, text: str) -> _Head:
        """The type and the id of a frame, whatever else is wrong with it."""
        try:
            head = self._decode_head(text)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return _Head()
        return head if isinstance(head.id, int | str) else _Head(type=head.type)
