"""Draining: before the process ends, every client is told to reconnect, and every clean-up runs."""

import asyncio
import logging

from realtime.hub import get_hub
from realtime.sockets import Sockets

logger = logging.getLogger("realtime")


async def drain(timeout: float = 5.0) -> None:
    """Close every open socket after a `reconnect` frame, and wait for their clean-up.

    New sockets are refused from here on. Returns when all are gone, at the latest after `timeout` seconds,
    and the other processes have been told.
    """
    hub = get_hub()
    hub.drain()
    if hub.sockets:
        await send_away(hub.sockets, timeout)
    await hub.processes.leave()


async def send_away(sockets: Sockets, timeout: float) -> None:
    logger.info("draining %d sockets", len(sockets))
    try:
        async with asyncio.timeout(timeout):
            await sockets.reconnect(sockets)
            while sockets:  # each leaves when its clean-up has run
                await asyncio.sleep(0.02)
    except TimeoutError:
        logger.warning("%d sockets were still open after %s seconds", len(sockets), timeout)
