"""What belongs to an event loop goes with it."""

import asyncio
import gc
import weakref

from realtime import loops


class Thing:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.closed = False

    async def aclose(self):
        self.closed = True


def test_each_loop_has_its_own_until_it_is_closed():
    thing = loops.per_loop(Thing)

    async def ask():
        assert thing() is thing()
        assert thing().loop is asyncio.get_running_loop()
        return weakref.ref(thing())

    first = asyncio.run(ask())
    second = asyncio.run(ask())
    gc.collect()
    assert first() is None
    assert second() is not None


async def test_what_belongs_to_a_loop_is_closed():
    thing = loops.per_loop(Thing)
    one = thing()
    await loops.close()
    assert one.closed
    assert thing() is not one
