"""The open sockets of this process, and whose they are."""

import asyncio
import logging
import random
from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Any, Protocol

from realtime.outbox import Outbox

logger = logging.getLogger("realtime")

BATCH = 50  # sends between two turns of the event loop, so that its lag stays at a few milliseconds
SPREAD_SECONDS = 3  # in which clients come back, not all at once
SOONEST_SECONDS = 0.3  # for what was away to be back in all parts
HANDSHAKES = 200  # a second that a process can be expected to bear; more clients take longer to come back


class Socket(Protocol):
    """What the hub knows of a consumer."""

    user: Any  # Django's; servers import this before its models can be
    login: tuple  # see `realtime.revocation`
    opened_at: float  # by the loop's clock
    outbox: Outbox

    def take_event(self, name: str, event: dict) -> None:
        """Call the method that a plain `group_send` names."""

    async def reconnect(self, after: float) -> None:
        """Have the client come back after so many seconds."""

    async def close(self, code: int, reason: str) -> None: ...


class Sockets:
    """All sockets of an event loop; iterates over those that are open."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.of_user: dict[int, set[Socket]] = {}
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
        self.of_user.setdefault(socket.user.pk, set()).add(socket)

    def remove(self, socket: Socket) -> bool:
        """Undo `add`; say whether it was the user's last socket."""
        self._open.discard(socket)
        own = self.of_user.get(socket.user.pk, set())
        own.discard(socket)
        if not own:
            self.of_user.pop(socket.user.pk, None)
        return not own

    def spawn(self, coroutine) -> asyncio.Task:
        """Run a coroutine in a task that is not garbage-collected while it runs."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def reconnect(self, sockets: Iterable[Socket]) -> None:
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
