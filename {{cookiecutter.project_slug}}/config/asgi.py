"""The ASGI application: server -> proxy's headers -> origin -> authentication -> routing -> consumer."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()  # which the imports below need

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

from config import urls as urls  # which the first request would import, while all others wait
from config.middleware import stay_on_the_loop
from config.routing import websocket_urlpatterns
from realtime.auth import WebSocketAuthMiddleware
from realtime.log_context import SocketContext
from realtime.origin import TrustedOrigin
from realtime.reachable import reachable
from serving.event_streams import EndUnreadStreams
from serving.forwarded import ProxyHeaders
from serving.handler import Handler
from serving.request_threads import RequestThreads

stay_on_the_loop()
application = ProxyHeaders(
    ProtocolTypeRouter(
        {
            "http": EndUnreadStreams(RequestThreads(Handler())),
            "websocket": SocketContext(
                TrustedOrigin(WebSocketAuthMiddleware(URLRouter(reachable(websocket_urlpatterns))))
            ),
        }
    ),
    trusted=settings.FORWARDED_ALLOW_IPS,
)
