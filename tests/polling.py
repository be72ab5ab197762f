"""How tests wait: they ask again and again until it is so, and fail when it takes too long."""

import asyncio
import time
from contextlib import suppress

import httpx

PAUSE = 0.02  # seconds between two questions


async def until(condition, within=5, subject=""):
    """Wait until the condition holds, at most `within` seconds; return how long it took.

    What `subject` says of itself, as a text, is part of the failure.
    """
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < within, f"not so within {within} s: {subject}"
        await asyncio.sleep(PAUSE)
    return time.monotonic() - start


def until_served(condition, within, process, output):
    """Wait for a condition that a process brings about, which may not answer yet; return how long it took.

    Fails with what `output()` returns if that takes more than `within` seconds, or if the process ends.
    """
    start = time.monotonic()
    while True:
        with suppress(httpx.TransportError):
            if condition():
                return time.monotonic() - start
        assert process.poll() is None, f"the process has ended:\n{output()}"
        assert time.monotonic() - start < within, f"not so within {within} s:\n{output()}"
        time.sleep(PAUSE)
