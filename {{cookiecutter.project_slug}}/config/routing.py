"""The WebSocket routes: those in the routing.py of each app, in the order of INSTALLED_APPS.

`/ws/` takes any of them over one socket.
"""

from django.urls import path, re_path

from config import collect
from realtime.consumer import OtherPaths
from realtime.topics import TopicsConsumer

websocket_urlpatterns = [
    *collect.websocket_routes(),
    path("ws/", TopicsConsumer.as_asgi()),
    re_path("", OtherPaths.as_asgi()),
]
