"""Limits for clients that mean harm, where the server itself has none."""

import time

PING_SECONDS = 20  # between pings, and until one is answered; less than the idle timeouts of proxies
FRAMES_A_SECOND = 1000  # pings, pongs and fragments; what one client sends in good faith is a fraction of it
SLICE = 4096  # bytes that are parsed before others have a look in; they may hold 680 frames


class FrameCount:
    """Counts the frames of a socket that are no messages, and so not limited by WS_RATE."""

    __slots__ = ("count", "since")

    def __init__(self):
        self.count, self.since = 0, 0.0

    def too_many(self) -> bool:
        """Count one more; say whether there were too many within a second."""
        now = time.monotonic()
        if now - self.since > 1:
            self.count, self.since = 0, now
        self.count += 1
        return self.count > FRAMES_A_SECOND
