"""The WebSocket routes: those in the routing.py of each app, in the order of INSTALLED_APPS."""

from django.urls import re_path

from config import collect
from realtime.consumer import OtherPaths

websocket_urlpatterns = [
    *collect.websocket_routes(),
    re_path("", OtherPaths.as_asgi()),
]
