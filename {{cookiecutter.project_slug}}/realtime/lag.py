"""Whether the event loop keeps up: how late its timers are, and which line holds it up."""

import asyncio
import logging
import sys
import threading
import time
from collections import deque
from pathlib import Path
from types import FrameType

from django.conf import settings

from realtime.stats import stats

logger = logging.getLogger("realtime")

SAMPLE_SECONDS = 0.1  # between two samples
RECENT_SECONDS = 60  # for which samples are kept
LOOK_SECONDS = 0.05  # between two looks of the watchdog
BLOCKED_SECONDS = 0.25  # after which it names the line
MOST_NAMED = 100  # lines; each is named once


class LagSampler:
    """Samples the lag of the running event loop for as long as it runs, with a watchdog thread beside it."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self._recent: deque[tuple[float, float]] = deque()  # when, and how late
        self._thread = threading.get_ident()
        self._depth = 0  # of the stack below what the loop calls
        self._named: set[str] = set()
        self._wait()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def recent(self) -> tuple[float, float]:
        """The 99th percentile and the maximum of the lag in the last minute, in seconds."""
        lags = sorted(lag for _, lag in self._recent)
        return (lags[int(len(lags) * 0.99)], lags[-1]) if lags else (0.0, 0.0)

    def _wait(self) -> None:
        self._due = time.monotonic() + SAMPLE_SECONDS  # uvloop's own clock stands still during a callback
        self._cpu = time.thread_time()
        self.loop.call_later(SAMPLE_SECONDS, self._sample)

    def _sample(self) -> None:
        now = time.monotonic()
        lag = max(0.0, now - self._due)
        stats.lag.observe(lag)
        self._recent.append((now, lag))
        while self._recent[0][0] < now - RECENT_SECONDS:
            self._recent.popleft()
        self._depth = len(stack(sys._getframe())) - 1
        self._wait()

    def _watch(self) -> None:
        call, since, looked = None, 0.0, time.monotonic()
        while not self.loop.is_closed():
            time.sleep(LOOK_SECONDS)
            before, looked = looked, time.monotonic()
            frames = self._running()
            last, call = call, (id(frames[0]), self._due) if frames else None
            if call != last:  # when many short calls take long, none of them is to blame
                # One in C may have let no other thread run, so that nobody could look; nor could they
                # while the machine was busy with something else.
                since = looked - min(looked - before, self._computed())
            if frames and looked - since > BLOCKED_SECONDS:
                self._name(*describe(frames), looked - since)
            del frames  # which would keep alive what they refer to

    def _running(self) -> list[FrameType]:
        """The frames of what the loop calls just now; none while it waits."""
        if not self.loop.is_running():
            return []
        return stack(sys._current_frames().get(self._thread))[self._depth :]

    def _computed(self) -> float:
        """For how many seconds the loop's thread has computed since the last sample."""
        if not self.loop.is_running() or not hasattr(time, "pthread_getcpuclockid"):  # as on macOS
            return 0.0
        return time.clock_gettime(time.pthread_getcpuclockid(self._thread)) - self._cpu

    def _name(self, place: str, inside: str, seconds: float) -> None:
        if place not in self._named and len(self._named) < MOST_NAMED:
            self._named.add(place)
            logger.warning("the event loop is held up for %.2f s by %s%s", seconds, place, inside)


def stack(frame: FrameType | None) -> list[FrameType]:
    """The frames of a thread, the innermost last."""
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames[::-1]


def describe(frames: list[FrameType]) -> tuple[str, str]:
    """Name the innermost line of the project's own code, and where in a library it is, if it is in one."""
    *_, innermost = frames
    *_, place = [frame for frame in frames if is_own(frame)] or frames
    return line(place), "" if place is innermost else f", which is at {line(innermost)}"


def is_own(frame: FrameType) -> bool:
    path = Path(frame.f_code.co_filename)
    return path.is_relative_to(settings.BASE_DIR) and "site-packages" not in path.parts


def line(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    if is_own(frame):
        path = path.relative_to(settings.BASE_DIR)
    return f"{path}:{frame.f_lineno} in {frame.f_code.co_name}()"
