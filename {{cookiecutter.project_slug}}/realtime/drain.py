"""Draining: before the process ends, every client is told to come back, and every clean-up runs."""

import asyncio
import logging
import random

from realtime.codes import SERVICE_RESTART
from realtime.frames import Reconnect
from realtime.hub import get_hub

logger = logging.getLogger("realtime")

SPREAD_SECONDS = 3.0  # clients come back at a random moment within this time, not all at once


async def drain(timeout: float = 5.0) -> None:
    """Close every open socket after a `reconnect` frame, and wait for their clean-up.

    New sockets are refused from here on. Returns when all are gone, at the latest after `timeout` seconds.
    """
    hub = get_hub()
    hub.draining = True
    sockets = list(hub.sockets)
    if not sockets:
        return
    logger.info("draining %d sockets", len(sockets))
    try:
        async with asyncio.timeout(timeout):
            await asyncio.gather(*(_dismiss(socket) for socket in sockets))
            while hub.sockets:  # each leaves when its clean-up has run
                await asyncio.sleep(0.02)
    except TimeoutError:
        logger.warning("%d sockets were still open after %s seconds", len(hub.sockets), timeout)


async def _dismiss(socket) -> None:
    await socket.send_frame(Reconnect(after=round(random.uniform(0, SPREAD_SECONDS), 2)))
    await socket.close(SERVICE_RESTART, "The server restarts")
