"""The figures: computed by one process for all, and only while somebody watches.

Each second the processes that have watchers ask the cache for a lease, which one of them holds and renews. It
computes, leaves all figures in the cache, for those who come, and publishes what has changed. If it dies, its
lease ends a few seconds later, and another process goes on.

An app adds figures by a function `figures()` in its dashboard.py, which returns {name: number} and may ask
the database. A name such as `messages_in_24_h` is shown as "Messages in 24 h"; one that ends with `_ms` or
`_mib` has that unit.
"""

import asyncio
import logging
import time
from typing import Any

from config.collect import modules
from dashboard.frames import FiguresChanged
from dashboard.notify import GROUP
from realtime import lease
from realtime.cache import cache
from realtime.database import in_database
from realtime.hub import get_hub
from realtime.loops import per_loop
from realtime.publish import apublish

logger = logging.getLogger("dashboard")

PAUSE_SECONDS = 1  # between two computations
LONGEST_PAUSE = 30  # the same, when the database is slow: it is left alone for nine tenths of the time
LEASE_SECONDS = 4  # beyond the pause, after which another process takes over
KEPT_SECONDS = 60  # for which the newest figures are good enough to begin with
LEASE, LATEST = "dashboard.lease", "dashboard.figures"

Figures = dict[str, float]


class Watchers:
    """The sockets of this process that watch, and the task that computes for all while there are any."""

    def __init__(self):
        self._hub = get_hub()
        self._sockets: set[Any] = set()
        self._task: asyncio.Task | None = None
        self._leads = False
        self._pause: float = PAUSE_SECONDS
        self._problem = ""  # that the log knows already

    def add(self, socket) -> None:
        self._sockets.add(socket)
        if self._task is None or self._task.done():
            self._task = self._hub.spawn(self._run())

    def discard(self, socket) -> None:
        self._sockets.discard(socket)

    async def _run(self) -> None:
        while self._sockets:
            try:
                await self._take_turn()
                self._problem = ""
            except Exception as error:  # of the cache, the layer, the database, or an app
                self._complain(error)
            await asyncio.sleep(self._pause)
            if not self._sockets and self._leads:
                await self._give_up()

    async def _take_turn(self) -> None:
        """Compute, if this process has the lease, and publish what has changed."""
        led = self._leads
        self._leads, before = await in_database(begin)(self._hub.watch.group, LEASE_SECONDS + self._pause)
        if self._leads != led:
            logger.info("this process %s the figures", "computes" if self._leads else "no longer computes")
        if not self._leads:
            self._pause = PAUSE_SECONDS
            return
        now = before | await self._of_server() | await self._of_apps()
        if not led:
            before = {}  # what the last process has sent is not known for sure
        changed = {name: value for name, value in now.items() if before.get(name) != value}
        await in_database(cache.set)(LATEST, now, KEPT_SECONDS)  # first: who comes later reads it there
        if changed:
            await apublish(GROUP, FiguresChanged(figures=changed))

    async def _of_server(self) -> Figures:
        """What all processes say of themselves; nothing while the channel layer is away."""
        try:
            answers = await self._hub.processes.figures_of_all()
        except ConnectionError:
            return {}
        return together(list(answers.values()))

    async def _of_apps(self) -> Figures:
        began = time.monotonic()
        found = await in_database(of_apps)()
        took = time.monotonic() - began
        self._pause = min(max(PAUSE_SECONDS, 9 * took), LONGEST_PAUSE)
        return found

    async def _give_up(self) -> None:
        """Let another process go on at once, if it has watchers."""
        self._leads = False
        try:
            await in_database(lease.release)(LEASE, self._hub.watch.group)
        except Exception as error:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        if (problem := repr(error)) != self._problem:
            self._problem = problem
            logger.warning("the dashboard has no new figures: %s", problem)


watchers = per_loop(Watchers)  # of the running event loop


def begin(owner: str, seconds: float) -> tuple[bool, Figures]:
    """Take or renew the lease; return whether the owner has it, and the newest figures."""
    has_it = lease.acquire(LEASE, owner, seconds) or lease.renew(LEASE, owner, seconds)
    return has_it, latest()


def latest() -> Figures:
    return cache.get(LATEST) or {}


def together(answers: list[dict[str, Any]]) -> Figures:
    """Make figures of the site of what each of its processes says."""
    of_each = [answer["figures"] for answer in answers]
    return {
        "users_online": len({user for answer in answers for user in answer["users"]}),
        "sockets": sum(each["sockets"] for each in of_each),
        "events_per_second": round(sum(each["events"] for each in of_each), 1),
        "loop_lag_ms": round(max(each["lag"] for each in of_each) * 1000),
        "memory_mib": round(sum(each["memory"] or 0 for each in of_each) / 2**20),
        "processes": len(of_each),
    }


def of_apps() -> Figures:
    """What each app has counted."""
    found: Figures = {}
    for module in modules("dashboard"):
        found |= module.figures()
    return found
