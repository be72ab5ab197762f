"""Limits for clients that mean harm, where the server itself has none."""

import socket
import struct
import time
from contextlib import suppress

FRAMES_A_SECOND = 1000  # pings, pongs and fragments; what one client sends in good faith is a fraction of it
SLICE = 4096  # bytes that are parsed before others have a look in; they may hold 680 frames

NO_LINGER = struct.pack("ii", 1, 0)


def cut(transport) -> None:
    """Reset a connection: what its client has not read is dropped, by the kernel, too."""
    with suppress(AttributeError, OSError, ValueError):  # it is closed already
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    transport.abort()


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
