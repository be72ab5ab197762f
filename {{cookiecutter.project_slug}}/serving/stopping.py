"""How a server stops: the sockets go first, and nobody is cut off in a handshake."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings


async def drain_sockets() -> None:
    """Ask the WebSocket clients to come back, and refuse those who come now."""
    from monitoring.sharing import leave_figures  # by workers only: their parent loads no application code
    from realtime.drain import drain

    await drain(timeout=settings.REALTIME["DRAIN_SECONDS"])
    with suppress(OSError, TimeoutError):
        await asyncio.to_thread(leave_figures)  # the last ones


async def finish_handshakes(pending: Callable[[], bool], timeout: float) -> None:
    """Let handshakes that have just begun come to an end; who is cut would take the server for broken.

    Returns when none is pending, at the latest after `timeout` seconds.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    while pending() and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.02)
