"""A consumer to test the core with; conftest.py puts it at /ws/sample/."""

import asyncio
from threading import Barrier

from realtime.consumer import RealtimeConsumer
from realtime.database import in_database
from realtime.frames import ClientFrame
from realtime.publish import apublish


class Say(ClientFrame, tag="say"):
    text: str


class Fail(ClientFrame, tag="fail"):
    pass


class Query(ClientFrame, tag="query"):
    pass


class SampleConsumer(RealtimeConsumer):
    groups = ("sample",)
    ended: list[int] = []  # the codes with which sockets were closed
    together = Barrier(10)  # which ten threads can only pass together

    async def closed(self, code):
        self.ended.append(code)

    async def say(self, frame: Say):
        await apublish("sample", {"type": "said", "text": frame.text})
        return {"length": len(frame.text)}

    async def fail(self, frame: Fail):
        raise RuntimeError("as it was asked to")

    async def query(self, frame: Query):
        await in_database(self.together.wait)(timeout=5)

    async def sample_slow(self, event):
        for end in (False, True):
            await self.send_frame({"type": "step", "n": event["n"], "end": end})
            await asyncio.sleep(0)

    async def sample_event(self, event):
        await self.send_frame({"type": "event", "text": event["text"]})
