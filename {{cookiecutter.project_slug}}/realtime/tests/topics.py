"""The client's end of a socket at `/ws/`."""

import asyncio

from realtime.hub import get_hub

SAMPLE, NESTED, GUESTS = "/ws/sample/", "/ws/nested/a/sample/", "/ws/guests/"


class Topics:
    """A socket at `/ws/`, and the frames of its topics."""

    def __init__(self, socket):
        self.socket = socket

    async def subscribe(self, *topics, **fields):
        for topic in topics:
            await self.socket.request("subscribe", topic=topic, **fields)
            assert (await self.receive(topic, "connection_established"))["user"]

    async def receive(self, topic, *types):
        """Return the next frame of a topic, and of some types."""
        passed = []
        while True:
            frame = await self.socket.receive(*types)
            if frame.get("topic") == topic:
                self.socket.unread[:0] = passed
                return frame
            passed.append(frame)

    async def request(self, topic, type, id="x", **fields):
        await self.socket.send(type, id=id, topic=topic, **fields)
        return await self.receive(topic, "reply", "error")

    async def closed(self, topic):
        """Return the code with which a topic ends."""
        return (await self.receive(topic, "closed"))["code"]

    async def refused(self, topic):
        """Return the code and the reason with which a topic is refused."""
        await self.socket.request("subscribe", topic=topic)
        frame = await self.receive(topic, "closed")
        return frame["code"], frame["reason"]


def member(topic):
    """Return the consumer of a topic."""
    (found,) = [each for each in get_hub().sockets if each.scope["path"] == topic]
    return found


async def gone(topic):
    """Wait until the consumer of a topic has cleaned up."""
    await until(lambda: all(each.scope["path"] != topic for each in get_hub().sockets))


async def until(holds):
    async with asyncio.timeout(5):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)
