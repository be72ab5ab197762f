"""The open sockets of this process, and whose they are."""

import asyncio
import logging
import random
from collections.abc import Iterable, Iterator
from contextvars import Context
from itertools import batched
from typing import Any, Protocol

from realtime.outbox import Outbox

logger = logging.getLogger("realtime")

BATCH = 50  # sends between two turns of the event loop, so that its lag stays at a few milliseconds
SPREAD_SECONDS = 3  # in which clients come back, not all at once
SOONEST_SECONDS = 0.3  # for what was away to be back in all parts
HANDSHAKES = 200  # a second that a process can be expected to bear; more clients take longer to come back


class Member(Protocol):
    """What a group knows of who gets its events."""

    user: Any  # Django's; servers import this before its models can be
    opened_at: float  # by the loop's clock

    @property
    def outbox(self) -> "Way": ...

    def take_event(self, name: str, event: dict) -> None:
        """Call the method that a plain `group_send` names."""

    async def reconnect(self, after: float) -> None:
        """Have the client come back after so many seconds."""


class Way(Protocol):
    """The way out to a member."""

    def push(self, texts: tuple[str, ...], context: Context | None = None) -> None:
        """Send frames without making the publisher wait."""


class Socket(Member, Protocol):
    """What the hub knows of a consumer."""

    owner: int | str  # who is held to the limits: a user's pk, or the address that a guest comes from
    login: tuple  # see `realtime.revocation`
    socket_id: str
    is_open: bool
    scope: dict[str, Any]
    outbox: Outbox
    received: int  # frames

    async def close(self, code: int, reason: str) -> None: ...


class Sockets:
    """All sockets of an event loop; iterates over those that are open."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.of_user: dict[int, set[Socket]] = {}
        self.of_address: dict[str, set[Socket]] = {}  # the guests'
        self.subscriptions: set[Member] = set()  # see `realtime.subscribe`
        self._open: set[Socket] = set()
        self._tasks: set[asyncio.Task] = set()

    def __iter__(self) -> Iterator[Socket]:
        return iter(tuple(self._open))

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, socket: Socket) -> bool:
        return socket in self._open

    def add(self, socket: Socket) -> None:
        self._open.add(socket)
        self._owners(socket).setdefault(socket.owner, set()).add(socket)

    def remove(self, socket: Socket) -> bool:
        """Undo `add`; say whether it was its owner's last socket."""
        self._open.discard(socket)
        own = self.beside(socket)
        own.discard(socket)
        if not own:
            self._owners(socket).pop(socket.owner, None)
        return not own

    def beside(self, socket: Socket) -> set[Socket]:
        """The open sockets of a socket's owner."""
        return self._owners(socket).get(socket.owner, set())

    def _owners(self, socket: Socket) -> dict[Any, set[Socket]]:
        return self.of_address if socket.user.is_anonymous else self.of_user

    def spawn(self, coroutine, context: Context | None = None) -> asyncio.Task:
        """Run a coroutine in a task that is not garbage-collected while it runs.

        Without a context it gets an empty one: most tasks here outlive the socket for which they begin.
        """
        task = self.loop.create_task(coroutine, context=context or Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def reconnect(self, sockets: Iterable[Member]) -> None:
        """Have clients come back, spread in time, and close their sockets."""
        sockets = list(sockets)
        spread = max(SPREAD_SECONDS, len(sockets) / HANDSHAKES)
        tasks = []
        for batch in batched(sockets, BATCH):
            for socket in batch:
                after = random.uniform(SOONEST_SECONDS, spread)
                tasks.append(self.spawn(socket.reconnect(after)))
            await asyncio.sleep(0)
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):  # of one; the others have to be told all the same
                logger.error("could not send a client away", exc_info=result)
