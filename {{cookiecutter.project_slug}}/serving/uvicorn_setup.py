"""What Uvicorn is told and does here, whoever starts it."""

import asyncio
import logging
import signal
import sys

from django.conf import settings

from serving import limits
from serving.stopping import drain_sockets, finish_handshakes
from serving.timeouts import GRACE
from serving.uvicorn_frames import PROTOCOLS
from serving.websocket_limits import PING_SECONDS

OPTIONS = {
    **PROTOCOLS,
    "ws_max_size": settings.REALTIME["MAX_MESSAGE_BYTES"],
    "ws_ping_interval": PING_SECONDS,
    "ws_ping_timeout": PING_SECONDS,
    "ws_per_message_deflate": False,  # compression would more than double the memory of a socket
    "proxy_headers": False,  # serving/forwarded.py reads them
    "timeout_graceful_shutdown": GRACE,  # without it, one endless stream would keep Uvicorn alive
    "lifespan": "off",  # Django has none
    "server_header": False,
    "access_log": False,  # config/logs.py has one
}
OF_EACH_SOCKET = ('"WebSocket %s" [accepted]', "connection open", "connection closed")


def leave_by_atexit() -> None:
    """Uvicorn, when all is done, raises the signal that it got: have that be no sudden end."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())


async def before_shutdown(server) -> None:
    """Ask the WebSocket clients to come back, take no more connections, and let handshakes come to an end.

    Uvicorn would answer those with 500.
    """
    if limits.recycling:
        stop_listening(server)  # so the other workers take who comes now
    await drain_sockets()
    await asyncio.sleep(0.1)  # until what was sent to the port has arrived
    stop_listening(server)
    connections = server.server_state.connections
    await finish_handshakes(
        lambda: not all(getattr(it, "handshake_complete", True) for it in connections), timeout=1
    )


def stop_listening(server) -> None:
    for listener in server.servers:
        listener.close()


def is_news(record):
    """Leave out what the consumers log of each socket; and the query string, where a ticket may stand."""
    record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
    return record.levelno > logging.INFO or not record.msg.endswith(OF_EACH_SOCKET)


logging.getLogger("uvicorn.error").addFilter(is_news)
