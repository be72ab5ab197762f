"""What a load test does in rooms: each socket is in one, and what one says there all in it hear."""

from loadtest.problems import Problem
from loadtest.scenario import Scenario as Base
from rooms.demo import LOADTEST_ROOMS


class Scenario(Base):
    numbered = ("chat_message", "message_id")

    def __init__(self, sockets, audience):
        self.rooms = LOADTEST_ROOMS[: -(-sockets // audience)]
        if sockets > audience * len(self.rooms):
            least = -(-sockets // len(self.rooms))
            raise Problem(f"--audience: {least} or more, since load tests have {len(self.rooms)} rooms.")

    def place(self, number, user):
        room = self.rooms[number % len(self.rooms)]
        return f"/ws/rooms/{room}/", room

    async def send(self, client, text):
        await client.request({"type": "chat_message", "message": text, "idempotency_key": text})

    def text(self, frame):
        return frame["message"]
