"""A data loader: what many ask for at the same time is read together, with one query for all of them."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context

from django.conf import settings

from realtime.database import in_database

BATCH = 100  # that are read together at most
SECONDS = 10  # for a batch; who still waits for it has a limit of that kind, too
TURNS = 3  # of the event loop in which nobody has come, and so nobody else is on the way


class Loader[Key, Value]:
    """Reads for those who wait, on one event loop: while it does, others gather, whom it reads for next.

    `read` takes a list of keys in a database thread, and returns a value for each, or the exception to raise.
    What it raises itself is raised to all of the batch. Who comes alone is read at once.
    """

    def __init__(self, read: Callable[[list[Key]], list[Value | Exception]]):
        self._read = in_database(read)
        self._waiting: deque[tuple[Key, asyncio.Future[Value]]] = deque()
        self._reading: asyncio.Task | None = None

    async def load(self, key: Key) -> Value:
        """Return what belongs to a key; a limit in time is the caller's."""
        if len(self._waiting) >= settings.REALTIME["MAX_SOCKETS"]:
            raise ConnectionError("too many wait for the database")
        future: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, future))
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_all(), context=Context())
        return await future

    async def _read_all(self) -> None:
        while self._waiting:
            await self._gather()
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            batch = [(key, future) for key, future in batch if not future.done()]  # the others have left
            found = await self._answers([key for key, _ in batch]) if batch else []
            for (_, future), answer in zip(batch, found, strict=True):
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    async def _gather(self) -> None:
        """Let those come who are on the way: servers accept one in each turn of the event loop."""
        quiet = 0
        while quiet < TURNS and len(self._waiting) < BATCH:
            before = len(self._waiting)
            await asyncio.sleep(0)
            quiet = 0 if len(self._waiting) > before else quiet + 1

    async def _answers(self, keys: list[Key]) -> list[Value | Exception]:
        try:
            async with asyncio.timeout(SECONDS):
                return await self._read(keys)
        except Exception as error:
            return [error] * len(keys)
