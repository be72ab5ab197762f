from realtime.consumer import RealtimeConsumer
from realtime.frames import ClientFrame, Frame


class Fail(ClientFrame, tag="fail"):
    text: str


class Spread(ClientFrame, tag="spread"):
    pass


class Told(Frame, tag="told"):
    pass


class FaultyConsumer(RealtimeConsumer):
    sends = (Told,)

    async def opened(self):
        await self.join("faulty")

    async def fail(self, frame: Fail):
        raise ArithmeticError("a frame")

    async def spread(self, frame: Spread):
        await self.channel_layer.group_send("faulty", {"type": "told"})

    async def told(self, event):
        await self.send_frame(Told())
        raise ArithmeticError("an event")

    async def closed(self, code):
        raise ArithmeticError("closed")
