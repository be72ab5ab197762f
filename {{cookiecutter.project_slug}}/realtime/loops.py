"""One of a thing per event loop, for what loops cannot share: clients, their connections, tasks."""

import asyncio
from collections.abc import Callable
from typing import Any

_of_all: list[dict[asyncio.AbstractEventLoop, Any]] = []


def per_loop[T](make: Callable[[], T]) -> Callable[[], T]:
    """Return a function that gives what belongs to the running event loop, made when it is first asked for.

    It refers to its loop, so a weak reference to the loop would never end: things go when a new one is made
    after their loop was closed. A forked child keeps what is its parent's, on loops that it never runs: to
    close it there would close it for the parent, too.
    """
    things: dict[asyncio.AbstractEventLoop, T] = {}

    def get() -> T:
        loop = asyncio.get_running_loop()
        if loop not in things:
            for closed in [other for other in list(things) if other.is_closed()]:
                things.pop(closed, None)
            things[loop] = make()
        return things[loop]

    _of_all.append(things)
    return get


async def close() -> None:
    """Close what belongs to the running event loop, if it has an `aclose()`."""
    for things in _of_all:
        thing = things.pop(asyncio.get_running_loop(), None)
        if hasattr(thing, "aclose"):
            await thing.aclose()
