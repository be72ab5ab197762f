from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from realtime.frames import ClientFrame
from realtime.processes import SocketInfo

Column = Literal["user", "consumer", "path", "address", "at", "since", "received", "sent", "backlog"]


class Look(ClientFrame, tag="look"):
    """Ask all processes for what they are doing, and for those of their sockets in which a text occurs."""

    search: Annotated[str, Meta(max_length=100)] = ""  # in user, consumer, path or address
    sort: Column = "since"
    descending: bool = True


class EndSocket(ClientFrame, tag="end_socket"):
    """Disconnect a client; it stays away until a person asks for it."""

    process: str
    socket: str


class EndUser(ClientFrame, tag="end_user"):
    """Disconnect all clients of a user."""

    user: int


class ProcessInfo(Struct):
    id: str
    host: str
    pid: int
    since: float  # seconds since 1970
    silent_since: float | None  # its last sign of life, if it does not answer
    figures: dict[str, Any]  # none, if it does not answer


class Overview(Struct):
    """What is shown: the processes, and the first of their sockets that match."""

    processes: list[ProcessInfo]
    sockets: list[SocketInfo]
    matching: int  # sockets, of which those are the first


class Ended(Struct):
    ended: int  # sockets
    silent: int  # processes that did not answer, and may have more of them
