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

from .measured import asked_group, group_of, measured  # noqa: E402


class BenchConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.group = group_of(asked_group(self.scope))
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content):
        await self.send_json(content)

    async def bench_event(self, event):
        await self.send_json(event["frame"])


async def publish(text):
    frame = json.loads(text)
    event = {"type": "bench.event", "frame": frame}
    await get_channel_layer().group_send(group_of(frame.get("group")), event)


application = measured(BenchConsumer.as_asgi(), publish)
