"""Draining: before the process ends, every client is told to reconnect, and every clean-up runs."""

import asyncio
import logging

from realtime.hub import get_hub

logger = logging.getLogger("realtime")


async def drain(timeout: float = 5.0) -> None:
    """Close every open socket after a `reconnect` frame, and wait for their clean-up.

    New sockets are refused from here on. Returns when all are gone, at the latest after `timeout` seconds.
    """
    hub = get_hub()
    hub.drain()
    if not hub.sockets:
        return
    logger.info("draining %d sockets", len(hub.sockets))
    try:
        async with asyncio.timeout(timeout):
            await hub.sockets.reconnect(hub.sockets)
            while hub.sockets:  # each leaves when its clean-up has run
                await asyncio.sleep(0.02)
    except TimeoutError:
        logger.warning("%d sockets were still open after %s seconds", len(hub.sockets), timeout)
