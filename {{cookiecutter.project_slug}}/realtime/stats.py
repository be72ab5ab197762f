"""What this process has counted since it started: plain integers, which others read and nobody sets back.

Each socket counts its own frames, `outbox.sent` and `received`, so that handing an event to thousands of
sockets touches nothing that they share. All is counted on the event loop that serves them, unless it says so.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import Any

LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds


class Histogram:
    """How many observations were at most so much: `counts` for each of the `bounds`, and for those above."""

    def __init__(self, bounds: tuple[float, ...]):
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Stats:
    def __init__(self):
        self.opened: Counter[str] = Counter()  # sockets, by their consumer
        self.closed: Counter[tuple[str, int | str]] = Counter()  # the same, with the code they closed with
        self.received: Counter[tuple[str, Any]] = Counter()  # frames, by consumer and type
        self.errors: Counter[str] = Counter()  # `error` frames, by code
        self.sent = 0  # frames to sockets that are gone by now
        self.slow_clients = 0  # closed since they did not read
        self.events = 0  # that arrived from the channel layer for a group
        self.events_dropped = 0  # droppable ones that came too late, and those that too many waited with
        self.events_missed = 0  # that others named as their predecessor, and that never came
        self.published = 0  # events that the channel layer took
        self.publish_failures = 0  # and that it did not; under the publisher's lock
        self.layer_failures = 0  # how often the channel layer did not answer
        self.lag = Histogram(LAGS)  # of the event loop, sampled ten times a second

    def open_sockets(self) -> Counter[str]:
        """How many sockets are open now, by consumer."""
        now = self.opened.copy()
        for (consumer, _), number in self.closed.items():
            now[consumer] -= number
        return now

    def frames_sent(self, sockets: Iterable[Any]) -> int:
        """All frames sent so far; `sockets` are those that are open."""
        return self.sent + sum(socket.outbox.sent for socket in sockets)


stats = Stats()
