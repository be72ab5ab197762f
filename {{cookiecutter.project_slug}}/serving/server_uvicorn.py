"""Serve the project with Uvicorn: `python -m serving.server`, or with `--reload` while developing."""

import logging
import multiprocessing
import os
import sys

import uvicorn
from django.conf import settings
from django.utils import autoreload
from django.utils.log import configure_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from serving.preflight import preflight
from serving.uvicorn_frames import PROTOCOLS, finish_handshakes
from realtime.drain import drain

PING_INTERVAL = PING_TIMEOUT = 20  # seconds; less than the idle timeouts of proxies and load balancers
GRACE = 3  # seconds that running requests have to end, once the sockets are closed

uvicorn_shutdown, uvicorn_on_tick = uvicorn.Server.shutdown, uvicorn.Server.on_tick


async def on_tick(server, counter):
    """Stop, too, when the parent of this worker was killed, which would leave it behind with the port."""
    parent = multiprocessing.parent_process()
    return await uvicorn_on_tick(server, counter) or bool(parent and os.getppid() != parent.pid)


async def shutdown(server, sockets=None):
    """Ask the WebSocket clients to come back, then let Uvicorn close what is left."""
    await drain(timeout=settings.REALTIME["DRAIN_SECONDS"])
    await finish_handshakes(server)
    await uvicorn_shutdown(server, sockets)


def hide_query(record):
    """Cut the query string, which may hold a ticket or a token, off the addresses that Uvicorn logs."""
    record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
    return True


# Every worker imports this module anew, so what stands here holds in each of them.
uvicorn.Server.shutdown, uvicorn.Server.on_tick = shutdown, on_tick
logging.getLogger("uvicorn.access").addFilter(hide_query)  # HTTP requests
logging.getLogger("uvicorn.error").addFilter(hide_query)  # WebSocket handshakes


def serve(workers=1):
    uvicorn.run(
        "config.asgi:application",
        host=settings.HOST,
        port=settings.PORT,
        workers=workers,
        ws_max_size=settings.REALTIME["MAX_MESSAGE_BYTES"],
        ws_ping_interval=PING_INTERVAL,
        ws_ping_timeout=PING_TIMEOUT,
        ws_per_message_deflate=False,  # compression would more than double the memory of a socket
        proxy_headers=bool(settings.FORWARDED_ALLOW_IPS),
        forwarded_allow_ips=settings.FORWARDED_ALLOW_IPS,
        timeout_graceful_shutdown=GRACE,  # without it, one endless stream would keep Uvicorn alive
        lifespan="off",  # Django has none
        server_header=False,
        log_config=None,  # settings.LOGGING is in force
        **PROTOCOLS,
    )


def main():
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    preflight()
    if "--reload" in sys.argv:
        # Unlike Uvicorn's own, Django's reloader sees templates and translations, too.
        autoreload.run_with_reloader(serve)
    else:
        serve(workers=settings.WEB_CONCURRENCY)


if __name__ == "__main__":
    main()
