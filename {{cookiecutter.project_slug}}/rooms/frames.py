"""What is said in a room. Frames of the same type differ by direction: `Send...` comes from a client."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from msgspec import Meta, Struct

from realtime.frames import ClientFrame, Connected, Frame, UserInfo


class SendChatMessage(ClientFrame, tag="chat_message"):
    """A client that got no answer may send it again: with the same key it is stored once."""

    message: Annotated[str, Meta(min_length=1, max_length=4000)]
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class Stored(Struct):
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


class RoomConnected(Connected, tag="connection_established"):
    """Who is in the room, and who of them in its call; nobody for a client that waits."""

    room_id: str
    present: list[UserInfo]
    call: list[UserInfo]
    host: bool
    waiting: bool


# The call


class JoinCall(ClientFrame, tag="call_join"):
    """Join the call with this socket, under a name for the session that the client makes up.

    A user is in the call once: from another tab, which gets `call_moved`, the call moves here. The error
    `call_full` says that there are six already; `away`, that nobody can tell right now who is there.
    """

    session: Annotated[str, Meta(min_length=1, max_length=64)]


class IceServer(TypedDict):
    """What `RTCPeerConnection` takes as one of `iceServers`."""

    urls: str
    username: NotRequired[str]
    credential: NotRequired[str]


class Joined(Struct):
    """The others in the call, to whom this client sends offers."""

    participants: list[UserInfo]
    ice_servers: list[IceServer]


class LeaveCall(ClientFrame, tag="call_leave"):
    """Leave the call and stay in the room; without effect for who is not in it."""


class EndCall(ClientFrame, tag="call_end"):
    """End the call for all, as only the host of the room may."""


class CallPresence(Frame, tag="call_presence"):
    """A user came into the call, or left it; all in the room hear it."""

    event: Literal["join", "leave"]
    user: UserInfo


class CallMoved(Frame, tag="call_moved"):
    """The user is in the call in another tab now, in this session; this socket is in it no more."""

    session: str


class CallEnded(Frame, tag="call_ended"):
    """The host has ended the call: nobody is in it."""


# The door


class Waiting(Frame, tag="waiting"):
    """Who waits to be admitted, at most 100; for the host, whenever that changes."""

    users: list[UserInfo]


class Admit(ClientFrame, tag="admit"):
    """Let a user in who waits, as only the host may. From then on that user never waits here."""

    user_id: int


class Refuse(ClientFrame, tag="refuse"):
    """Send a user away who waits, as only the host may: the user's sockets are closed with 4403."""

    user_id: int


class Admitted(Frame, tag="admitted"):
    """The client need not wait any more; it is told to reconnect, and comes in."""
