"""Draining: before the process ends, every client is told to reconnect, and every clean-up runs.

What else is to come to its end, such as work that outlives sockets, has a function in `hub.at_drain`.
"""

import asyncio
import logging

from realtime.hub import get_hub
from realtime.sockets import Sockets

logger = logging.getLogger("realtime")


async def drain(timeout: float = 5.0) -> None:
    """Close every open socket after a `reconnect` frame, and wait for their clean-up.

    New sockets are refused from here on. Returns when all are gone and what is in `at_drain` has returned, at
    the latest after `timeout` seconds, and the other processes have been told.
    """
    hub = get_hub()
    hub.drain()
    work = [asyncio.create_task(finish(timeout)) for finish in hub.at_drain]
    if hub.sockets:
        work.append(asyncio.create_task(send_away(hub.sockets, timeout)))
    if work:
        await asyncio.wait(work, timeout=timeout)
    for task in work:
        if task.done() and (error := task.exception()):
            logger.error("could not finish", exc_info=error)
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
