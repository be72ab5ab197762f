"""The figures of all processes of a server, each of which leaves its own in a folder for the others.

A process has a place there: a number, a file, and a lock that ends with the process, however that ends. Whose
lock is free is dead: its gauges no longer count, and what it has counted stays in the sums, so that these
never fall. Who takes its place goes on from there; so there are never more places than processes.
"""

import asyncio
import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec
from django.conf import settings

from monitoring.figures import METRICS, Figures, figures
from realtime.hub import serving_hub

logger = logging.getLogger("monitoring")

SHARE_SECONDS = 5  # between two times that a process leaves its figures
MOST = 1000  # processes


class Place:
    """The place of this process; what it does may raise OSError."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._number, self._lock = take_place(folder)
        self._before = counted(self._read(self._number))
        self._turn = threading.Lock()
        self._at = 0.0
        self.leave({}, self._at)

    def leave(self, own: Figures, at: float) -> None:
        """Leave the figures that this process had at that time."""
        with self._turn:
            if at < self._at:
                return  # another thread was faster
            self._at, self._own = at, added([own, self._before])
            new = self._folder / f"{self._number}.new"
            new.write_bytes(msgspec.json.encode(self._own))
            new.replace(self._folder / f"{self._number}.json")
            os.utime(self._lock)  # or what tidies up /tmp would take it for forgotten

    def of_all(self) -> Figures:
        """Return the figures of all processes, added up."""
        found = [self._own]
        for file in self._folder.glob("*.json"):
            number = int(file.stem)
            if number != self._number:
                theirs = self._read(number)
                found.append(theirs if is_taken(self._folder, number) else counted(theirs))
        return added(found)

    def _read(self, number: int) -> Figures:
        try:
            return msgspec.json.decode((self._folder / f"{number}.json").read_bytes(), type=Figures)
        except FileNotFoundError:
            return {}
        except msgspec.MsgspecError as error:
            raise OSError(f"{self._folder}/{number}.json is damaged: {error}") from None


def take_place(folder: Path) -> tuple[int, int]:
    """Take the first place that is free, and return it with its lock, which is not to be closed."""
    for number in range(MOST):
        lock = open_lock(folder, number)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return number, lock
        except BlockingIOError:
            os.close(lock)
    raise OSError(f"more than {MOST} processes share {folder}")


def is_taken(folder: Path, number: int) -> bool:
    lock = open_lock(folder, number)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared, since others may look at the same moment
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def open_lock(folder: Path, number: int) -> int:
    return os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)


def counted(own: Figures) -> Figures:
    """Return what stays of the figures of a process when it has ended."""
    return {name: series for name, series in own.items() if name in METRICS and METRICS[name].kind != "gauge"}


def added(several: Iterable[Figures]) -> Figures:
    result: Figures = {}
    for own in several:
        for name, series in own.items():
            if name in METRICS:  # not what another version of this project has left
                total, together = result.setdefault(name, {}), METRICS[name].of_several
                for labels, value in series.items():
                    total[labels] = together([total[labels], value]) if labels in total else value
    return result


# The place of this process

_place: Place | None = None
_lock = threading.Lock()


def place() -> Place | None:
    """Return the place of this process; None if its server has no other. Raises OSError if there is none."""
    global _place
    with _lock:
        if _place is None and settings.METRICS_FOLDER:
            _place = Place(settings.METRICS_FOLDER)
        return _place


def start_sharing() -> None:
    """Leave the figures of this process every few seconds, from a thread."""
    if settings.METRICS_FOLDER:
        threading.Thread(target=_share, name="metrics", daemon=True).start()


def _share() -> None:
    said = ""
    while True:
        try:
            leave_figures()
            said = ""
        except (OSError, TimeoutError) as error:
            if str(error) != said:
                said = str(error)
                logger.warning("the other processes do not get the figures of this one: %s", said)
        time.sleep(SHARE_SECONDS)


def leave_figures() -> None:
    """Leave the figures of this process for the others; not to be called on the event loop."""
    own, hub = place(), serving_hub()
    if own is None:
        return
    if hub is None:
        own.leave(*now())
    else:
        own.leave(*asyncio.run_coroutine_threadsafe(_now(), hub.loop).result(SHARE_SECONDS))


def now() -> tuple[Figures, float]:
    """Return the figures of this process, and the time; called on the event loop, if there is one."""
    return figures(), time.monotonic()


async def _now() -> tuple[Figures, float]:
    return now()


def _start_anew() -> None:
    """A forked child has no place yet."""
    global _place, _lock
    _place, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_start_anew)
