"""This template: a consumer of a generated project, with all its middleware, served by its own command."""

import json

import config.asgi
import serving.server
from config.routing import websocket_urlpatterns
from django.urls import path
from realtime.consumer import RealtimeConsumer
from realtime.publish import apublish

from .measured import measured


class BenchConsumer(RealtimeConsumer):
    async def opened(self):
        await self.join("bench")
        await self.send_frame({"type": "ready"})


async def publish(text):
    await apublish("bench", json.loads(text))


websocket_urlpatterns.insert(0, path("ws/bench/", BenchConsumer.as_asgi()))
config.asgi.application = measured(config.asgi.application, publish)
serving.server.main()
