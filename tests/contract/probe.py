"""A consumer that the contract adds to each project in an app of its own, as an owner might."""

import atexit
import os
import time
from pathlib import Path

from django.contrib.auth import get_user_model
from realtime.consumer import RealtimeConsumer
from realtime.database import in_database
from realtime.frames import ClientFrame

CLOSED = Path(__file__).with_name("closed.txt")  # a line for each clean-up that has run


def write(line):
    with CLOSED.open("a") as file:
        file.write(f"{line}\n")


atexit.register(write, f"exit {os.getpid()}")


class Explode(ClientFrame, tag="explode"):
    pass


class SlowQuery(ClientFrame, tag="slow_query"):
    seconds: float


class ProbeConsumer(RealtimeConsumer):
    async def explode(self, frame: Explode):
        raise ArithmeticError("the probe exploded")

    async def slow_query(self, frame: SlowQuery):
        return {"users": await self.count_users(frame.seconds)}

    @in_database
    def count_users(self, seconds: float) -> int:
        time.sleep(seconds)
        return get_user_model().objects.count()

    async def closed(self, code):
        write(f"{self.scope['query_string'].decode()} {code}")
