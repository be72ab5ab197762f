"""Consumers to test the core with, and their routes, which conftest.py adds."""

import asyncio
import threading
from threading import Barrier

import msgspec
from channels.generic.websocket import AsyncJsonWebsocketConsumer, WebsocketConsumer
from channels.middleware import BaseMiddleware
from channels.routing import URLRouter
from django.urls import path, re_path

from realtime.consumer import RealtimeConsumer
from realtime.database import in_database
from realtime.frames import ClientFrame
from realtime.publish import apublish


class Say(ClientFrame, tag="say"):
    text: str


class Said(msgspec.Struct):
    length: int


class Fail(ClientFrame, tag="fail"):
    pass


class Query(ClientFrame, tag="query"):
    pass


class Block(ClientFrame, tag="block"):
    pass


class SampleConsumer(RealtimeConsumer):
    groups = ("sample",)
    ended: list[int] = []  # the codes with which sockets were closed
    together = Barrier(10)  # which ten threads can only pass together

    async def closed(self, code):
        self.ended.append(code)

    async def say(self, frame: Say) -> Said:
        await apublish("sample", {"type": "said", "text": frame.text})
        return Said(len(frame.text))

    async def fail(self, frame: Fail):
        raise RuntimeError("as it was asked to")

    async def query(self, frame: Query):
        await in_database(self.together.wait)(timeout=5)

    async def block(self, frame: Block):
        threading.Event().wait(0.4)

    async def sample_slow(self, event):
        for end in (False, True):
            await self.send_frame({"type": "step", "n": event["n"], "end": end})
            await asyncio.sleep(0)

    async def sample_event(self, event):
        await self.send_frame({"type": "event", "text": event["text"]})


class GuestConsumer(SampleConsumer):
    guests = True

    async def opened(self):
        await self.send_frame({"type": "hello", "user": self.user_info})


class HastyConsumer(RealtimeConsumer):
    async def opened(self):
        await self.send_frame({"type": "hello"})
        await self.greet()


class PlainConsumer(WebsocketConsumer):
    """A sync consumer of Channels' own."""

    def connect(self):
        self.accept(self.scope["subprotocol"])
        self.send(f"Hello {self.scope['user'].get_username() or 'guest'}")

    def receive(self, text_data=None, bytes_data=None):
        self.send(text_data, bytes_data)


class PlainJsonConsumer(AsyncJsonWebsocketConsumer):
    """An async one, in a group; it says what it finds in its scope."""

    groups = ("plain",)

    async def connect(self):
        await self.accept(self.scope["subprotocol"])

    async def receive_json(self, content):
        await self.send_json(
            {
                "user": self.scope["user"].get_username(),
                "seen": self.scope["session"].get("seen"),
                "path": self.scope["url_route"]["kwargs"],
                **content,
            }
        )

    async def plain_event(self, event):
        await self.send_json(event)

    async def hub_text(self, event):
        await self.send(event["text"])


websocket_urlpatterns = [
    path("ws/sample/", SampleConsumer.as_asgi()),
    path("ws/guests/", GuestConsumer.as_asgi()),
    path("ws/hasty/", HastyConsumer.as_asgi()),
    path(
        "ws/nested/<slug:outer>/",
        URLRouter(
            [
                path("sample/", SampleConsumer.as_asgi()),
                path("<int:inner>/", PlainJsonConsumer.as_asgi()),
            ]
        ),
    ),
    path("ws/plain/", PlainConsumer.as_asgi()),
    re_path(r"^ws/plain/(?P<number>[0-9]+)/$", BaseMiddleware(PlainJsonConsumer.as_asgi())),
]
