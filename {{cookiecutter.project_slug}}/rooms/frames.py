"""What is said in a room. Frames of the same type differ by direction: `Send...` comes from a client."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypedDict

from msgspec import Meta

from realtime.frames import ClientFrame, Connected, Frame, UserInfo


class SendChatMessage(ClientFrame, tag="chat_message"):
    """A client that got no answer may send it again: with the same key it is stored once."""

    message: Annotated[str, Meta(min_length=1, max_length=4000)]
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class Stored(TypedDict):
    message_id: int


class ChatMessage(Frame, tag="chat_message"):
    message: str
    message_id: int
    sender: UserInfo
    sent_at: datetime


class SendTyping(ClientFrame, tag="typing"):
    active: bool = True


class Typing(Frame, tag="typing"):
    active: bool
    user: UserInfo


class SendSignal(ClientFrame, tag="webrtc_signal"):
    """A WebRTC offer, answer or candidate for one user, or for everyone else when `to` is absent."""

    signal: dict[str, Any]
    to: int | None = None


class Signal(Frame, tag="webrtc_signal", rename={"sender": "from"}):
    sender: int
    signal: dict[str, Any]


class Presence(Frame, tag="presence"):
    """A user's first socket came into the room, or the last one left it."""

    event: Literal["join", "leave"]
    user: UserInfo


class Entered(Connected, tag="connection_established"):
    room_id: str
    present: list[UserInfo]
