"""The live table: what changes in its top is published, while somebody watches, by one process at a time.

Each process with watchers hears that scores have changed. The one that holds the lease reads the top, at once
if nothing was published lately and else a moment later, stores it as the next version, and publishes what
differs from the one before. Since version and lease are in the cache, another process goes on where one ends.
"""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
from django.contrib.auth import get_user_model

from leaderboard import standings
from leaderboard.frames import Entry, LeaderboardChanged
from realtime import lease
from realtime.cache import cache
from realtime.database import in_database
from realtime.frames import UserInfo
from realtime.hub import get_hub
from realtime.loops import per_loop
from realtime.publish import apublish, send_event
from realtime.sockets import Socket

logger = logging.getLogger("leaderboard")

TOP = 100  # users in the table
INTERVAL = 0.2  # seconds between two changes of it that are published
CHECK_SECONDS = 1  # between two looks whether something changed, or whether the lease is free
LEASE_SECONDS = 3
REPAIR_SECONDS = 10  # between two looks at what the standings may lack
START_SECONDS = 5  # for the first look, which a watcher waits for

GROUP = "leaderboard"  # those who watch
PUBLISHERS = "leaderboard.publishers"  # the processes in which they are
LEASE, TABLE = "leaderboard.lease", "leaderboard.table"  # keys in the cache


class Table(msgspec.Struct, frozen=True):
    """The top of the standings, as it was published last."""

    version: int
    entries: list[Entry]
    changes: int = 0  # what `standings.changes()` was before it was read


class Turn(NamedTuple):
    """What came of looking at the table."""

    ours: bool  # this process holds the lease
    behind: bool = False  # the standings need repair
    frame: LeaderboardChanged | None = None  # to publish


def touch(behind: bool = False) -> None:
    """Tell the publishers that scores have changed, from sync code; `behind`: the standings do not know."""
    send_event(PUBLISHERS, {"type": "leaderboard.touched", "behind": behind})


def table() -> Table:
    """The table that was published last. If there is none, it is of now; changes lead to no version 0."""
    return cache.get(TABLE) or Table(version=0, entries=read())


def read() -> list[Entry]:
    """Read the top of the standings."""
    best = standings.best(TOP)
    names = dict(get_user_model().objects.filter(pk__in=[pk for pk, _ in best]).values_list("pk", "username"))
    entries, rank, before = [], 0, None
    for place, (user_id, score) in enumerate(best, 1):
        if score != before:
            rank, before = place, score
        if user_id in names:  # or just deleted
            entries.append(Entry(rank=rank, user=UserInfo(user_id, names[user_id]), score=score))
    return sorted(entries, key=lambda entry: (entry.rank, entry.user.id))


def advance(token: str, touched: bool, newest: int = 0) -> Turn:
    """Make the next version of the table, if it is this process's turn and something has changed.

    `newest` is the last version that this process made.
    """
    took_over = lease.acquire(LEASE, token, LEASE_SECONDS)
    if not took_over and not lease.renew(LEASE, token, LEASE_SECONDS):
        return Turn(ours=False)
    before, changes = cache.get(TABLE), standings.changes()
    behind = standings.is_behind()
    if before and not (took_over or touched) and before.changes == changes:
        return Turn(True, behind)
    entries = read()
    old = before.entries if before else []
    known, left = set(map(msgspec.json.encode, old)), {entry.user.id for entry in old}
    changed = [entry for entry in entries if msgspec.json.encode(entry) not in known]
    removed = sorted(left - {entry.user.id for entry in entries})
    if before and not (took_over or changed or removed):
        cache.set(TABLE, msgspec.structs.replace(before, changes=changes), None)
        return Turn(True, behind)
    # Who took over may follow one that stored a version and died before it was published: with a version more
    # everybody notices, even if there is nothing new. The clock begins, so that no version comes twice.
    version = before.version + 1 if before else int(time.time() * 1000)
    if version <= newest:  # one that was asleep has just stored an old table: nobody may follow this one
        version = newest + 2
    if not lease.holds(LEASE, token):  # this process was asleep, and another one goes on
        return Turn(ours=False)
    cache.set(TABLE, Table(version, entries, changes), None)
    return Turn(True, behind, LeaderboardChanged(version=version, changed=changed, removed=removed))


class Publisher(Socket):
    """That of this process. For the hub it is a member of a group, like a socket, so that it hears events."""

    def __init__(self):
        self.hub = get_hub()
        self.opened_at = self.hub.loop.time()
        self.token = uuid4().hex
        self.watchers: set[Socket] = set()
        self.started = asyncio.Event()  # the table is of now
        self.touched = asyncio.Event()  # scores have changed
        self.running: asyncio.Task | None = None
        self.repair: asyncio.Task | None = None
        self.repair_at = 0.0
        self.soonest = 0.0  # when the top may be read again
        self.failing = False
        self.newest = 0  # version of the table that was made here

    async def watch(self, socket: Socket) -> None:
        """Return when the table is of now; it is kept so until all who watch have left."""
        self.watchers.add(socket)
        if self.running is None or self.running.done():
            self.running = self.hub.spawn(self._run())
        async with asyncio.timeout(START_SECONDS):
            await self.started.wait()

    def leave(self, socket: Socket) -> None:
        """Undo `watch`."""
        self.watchers.discard(socket)
        if not self.watchers:
            self.touched.set()

    def take_event(self, name: str, event: dict[str, Any]) -> None:
        """Scores have changed."""
        if event.get("behind"):
            self.repair_at = 0.0
        self.touched.set()

    async def reconnect(self, after: float) -> None:
        """Events may have been lost, and changes with them."""
        self.take_event("", {"behind": True})

    async def close(self, code: int, reason: str) -> None:
        """There is nothing to close."""

    async def _run(self) -> None:
        group = None
        try:
            while self.watchers:
                try:
                    group = group or await self.hub.join(PUBLISHERS, self)
                    await self._look()
                    self.failing = False
                    self.started.set()
                except Exception as error:  # of the cache, the database, the channel layer
                    if not self.failing:
                        logger.warning("the leaderboard stands still: %r", error)
                    self.failing = True
                    self.touched.set()
                    self.soonest = self.hub.loop.time() + CHECK_SECONDS
                with suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_SECONDS):
                        await self.touched.wait()
                await asyncio.sleep(self.soonest - self.hub.loop.time())
        finally:
            self.started.clear()
            self.running = None
            if group is not None:
                self.hub.leave(group, self)
        with suppress(Exception):  # or it ends by itself
            await in_database(lease.release)(LEASE, self.token)

    async def _look(self) -> None:
        began, touched = self.hub.loop.time(), self.touched.is_set()
        self.touched.clear()
        turn = await in_database(advance)(self.token, touched, self.newest)
        if turn.frame is not None:
            self.newest = turn.frame.version
            await apublish(GROUP, turn.frame)
        if touched or turn.frame is not None:
            self.soonest = began + INTERVAL
        if turn.ours and self.repair is None and (turn.behind or began >= self.repair_at):
            self.repair_at = began + REPAIR_SECONDS
            self.repair = self.hub.spawn(self._repair())

    async def _repair(self) -> None:
        try:
            if await in_database(standings.catch_up)():
                self.touched.set()
        except Exception as error:
            logger.warning("the leaderboard was not repaired: %r", error)
        finally:
            self.repair = None


publisher = per_loop(Publisher)
