"""This template: a consumer of a generated project, with all its middleware.

Run by `-m` it is served by the project's own command; or `config/asgi.py` ends with importing it.
"""

import json

from config import asgi
from config.routing import websocket_urlpatterns
from django.urls import path
from realtime.consumer import RealtimeConsumer
from realtime.publish import apublish

from .measured import asked_group, group_of, measured


class BenchConsumer(RealtimeConsumer):
    async def opened(self):
        await self.join(group_of(asked_group(self.scope)))
        await self.send_frame({"type": "ready"})


async def publish(text):
    frame = json.loads(text)
    await apublish(group_of(frame.get("group")), frame)


websocket_urlpatterns.insert(0, path("ws/bench/", BenchConsumer.as_asgi()))
asgi.application = measured(asgi.application, publish)

if __name__ == "__main__":
    import serving.server

    serving.server.main()
