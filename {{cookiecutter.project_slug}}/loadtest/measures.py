"""What is measured: counts, and durations that are counted as well, so a long test needs no more memory."""

from collections import Counter
from dataclasses import dataclass, field
from math import exp, log
from typing import Any

STEP = log(1.01)  # a duration is kept with an error of half a percent
SHORTEST = 1e-6  # seconds


class Durations:
    """Durations in seconds."""

    def __init__(self):
        self.counts: Counter[int] = Counter()
        self.longest = 0.0

    def __len__(self) -> int:
        return self.counts.total()

    def add(self, seconds: float) -> None:
        self.counts[round(log(max(seconds, SHORTEST)) / STEP)] += 1
        self.longest = max(self.longest, seconds)

    def percentile(self, percent: float) -> float:
        """Return what so many percent do not exceed; 0 if there are none."""
        left = len(self) * percent / 100
        for step, count in sorted(self.counts.items()):
            left -= count
            if left <= 0:
                return min(exp(step * STEP), self.longest)
        return 0.0


@dataclass
class Tick:
    """What happened in one interval, a second or a little more."""

    start: float  # seconds since the test began
    seconds: float = 0.0
    sockets: int = 0  # open at its end
    sent: int = 0
    expected: int = 0  # deliveries of what was sent
    deliveries: Durations = field(default_factory=Durations)
    errors: int = 0
    reconnects: int = 0
    cpu: float = 0.0  # of this process: 1 is a whole core
    lag: float = 0.0  # seconds that this process came too late, on average

    def add(self, after: "Tick") -> None:
        """Make one interval of this one and the one after it."""
        self.seconds += after.seconds
        self.sockets = after.sockets
        self.deliveries.counts.update(after.deliveries.counts)
        for name in ("sent", "expected", "errors", "reconnects"):
            setattr(self, name, getattr(self, name) + getattr(after, name))


@dataclass
class Figures:
    asked: dict[str, Any]  # the options
    site: str
    began: float  # seconds since 1970
    ramp: float = 0.0  # seconds until all sockets were begun and had an answer
    sending: tuple[float, float] = (0.0, 0.0)  # from when until when messages were sent, since the test began
    users: int = 0
    logins_put_off: int = 0
    logins: Durations = field(default_factory=Durations)
    handshakes: Durations = field(default_factory=Durations)
    replies: Durations = field(default_factory=Durations)
    deliveries: Durations = field(default_factory=Durations)
    opened: int = 0  # sockets that were open at least once
    most: int = 0  # that were open at the same time
    sent: int = 0
    expected: int = 0
    lost: int = 0
    repeated: int = 0
    reconnects: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    close_codes: Counter[int] = field(default_factory=Counter)
    ticks: list[Tick] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    interrupted: bool = False
    gone: bool = False  # the site was away for too long

    def begin(self, tick: Tick) -> None:
        self.ticks.append(tick)
        self.tick = tick

    def failed(self, kind: str) -> None:
        self.errors[kind] += 1
        self.tick.errors += 1

    def delivered(self, seconds: float) -> None:
        self.deliveries.add(seconds)
        self.tick.deliveries.add(seconds)

    def came_back(self) -> None:
        self.reconnects += 1
        self.tick.reconnects += 1
