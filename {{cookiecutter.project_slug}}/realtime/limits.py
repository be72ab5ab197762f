"""How many frames a client may send."""

from itertools import count

from django.conf import settings
from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

RATES = parse_many(settings.REALTIME["RATE"])
STRIKES = 100  # frames refused, less those allowed, before the socket is closed

_storage = MemoryStorage()
_limiter = FixedWindowRateLimiter(_storage)
_serial = count()


class FrameRate:
    """The allowance of one socket, for instance 50 frames in a second and 1,000 in a minute."""

    __slots__ = ("_key", "strikes")

    def __init__(self):
        self._key = None  # most sockets never send a frame
        self.strikes = 0

    def allow(self) -> bool:
        """Count a frame; False when it is over the limit."""
        if self._key is None:
            self._key = str(next(_serial))
        allowed = all([_limiter.hit(rate, self._key) for rate in RATES])
        self.strikes = max(0, self.strikes - 1) if allowed else self.strikes + 1
        return allowed

    @property
    def exhausted(self) -> bool:
        """The client goes on sending although it was told not to."""
        return self.strikes >= STRIKES

    def forget(self) -> None:
        if self._key is not None:
            for rate in RATES:
                _limiter.clear(rate, self._key)
