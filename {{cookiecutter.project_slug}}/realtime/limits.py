"""How much a client may send: over each socket, and a user over all sockets in all processes.

Guests are counted by where they come from instead.
"""

from ipaddress import IPv6Network, ip_address

from django.conf import settings

from realtime import allowance
from realtime.rates import Bucket

RATES = settings.REALTIME["RATE"]
BYTE_RATES = settings.REALTIME["BYTE_RATE"]
STRIKES = 100  # frames refused, less those allowed, before the socket is closed


class FrameRate:
    """The allowance of one socket, in frames and in bytes, and its part in that of its owner."""

    __slots__ = ("_bytes", "_frames", "strikes")

    def __init__(self):
        self._frames = None  # made when needed: many sockets send little
        self._bytes = None
        self.strikes = 0

    async def allow(self, owner: int | str, size: int) -> bool:
        """Count a frame of `size` bytes; False when it is over a limit."""
        if self._frames is None:
            self._frames, self._bytes = Bucket(RATES), Bucket(BYTE_RATES)
        # Who floods a socket is stopped here and costs the other processes nothing.
        allowed = self._frames.take() and self._bytes.take(size) and await allowance.draw(owner)
        self.strikes = max(0, self.strikes - 1) if allowed else self.strikes + 1
        return allowed

    @property
    def exhausted(self) -> bool:
        """The client goes on sending although it was told not to."""
        return self.strikes >= STRIKES


def address_of(scope: dict) -> str:
    """Where a client comes from, as far as limits go; a Unix socket has no network."""
    host = (scope.get("client") or ["unknown"])[0]
    return network_of(host) or str(host)


def network_of(host: str) -> str | None:
    """An address, of IPv6 the /64, all addresses of which may be a single machine's; None if it is none."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    address = getattr(address, "ipv4_mapped", None) or address
    return str(address if address.version == 4 else IPv6Network((int(address), 64), strict=False))
