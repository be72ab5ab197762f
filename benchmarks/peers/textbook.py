"""Channels as its tutorial shows it: each socket joins a group, `group_send` reaches them all."""

import json
import os

import django
from django.conf import settings

settings.configure(
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["REDIS_URL"]]},
        }
    }
)
django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402 (needs the settings)
from channels.layers import get_channel_layer  # noqa: E402

from .measured import measured  # noqa: E402


class BenchConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        await self.channel_layer.group_add("bench", self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard("bench", self.channel_name)

    async def bench_event(self, event):
        await self.send_json(event["frame"])


async def publish(text):
    await get_channel_layer().group_send("bench", {"type": "bench.event", "frame": json.loads(text)})


application = measured(BenchConsumer.as_asgi(), publish)
