"""Serve the project with Hypercorn: `python -m config.server`, or with `--reload` while developing."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from ipaddress import ip_address, ip_network

import hypercorn.asyncio
import uvloop
from django.conf import settings
from django.utils import autoreload
from django.utils.log import configure_logging
from hypercorn.config import Config
from hypercorn.protocol.events import StreamClosed
from hypercorn.protocol.ws_stream import WSStream
from wsproto.events import Ping
from wsproto.extensions import PerMessageDeflate

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config.preflight import preflight
from realtime.drain import drain

PING_INTERVAL = 20  # seconds; less than the idle timeouts of proxies and load balancers
GRACE = 2  # seconds that running requests have to end, once the sockets are closed


handle_events = WSStream._handle_events


async def close_when_too_big(stream):
    """Close the connection after code 1009; Hypercorn would go on to store the message that it refused."""
    await handle_events(stream)
    if stream.buffer.length > stream.buffer.max_length:
        await stream.send(StreamClosed(stream_id=stream.stream_id))


async def ping(stream):
    """Ping the client now and again; Hypercorn's own holds a closed connection until the next is due."""
    if not stream.closed:
        await stream._send_wsproto_event(Ping())
        loop = asyncio.get_running_loop()
        loop.call_later(PING_INTERVAL, lambda: loop.create_task(ping(stream)))


WSStream._handle_events = close_when_too_big
WSStream._send_pings = ping
# Compression would more than double the memory of a socket. Hypercorn has no switch for it.
PerMessageDeflate.accept = lambda self, offer: None


def make_config():
    config = Config()
    config.bind = f"{settings.HOST}:{settings.PORT}"
    config.backlog = 2048
    config.websocket_max_message_size = settings.REALTIME["MAX_MESSAGE_BYTES"]
    config.websocket_ping_interval = PING_INTERVAL
    config.graceful_timeout = GRACE
    config.include_server_header = False
    config.errorlog = logging.getLogger("hypercorn.error")
    config.accesslog = logging.getLogger("hypercorn.access")
    config.access_log_format = '%(h)s "%(r)s" %(s)s'  # %(r)s has no query string, where a ticket may stand
    return config


def make_application():
    """Take client and scheme from the X-Forwarded headers of the proxies in FORWARDED_ALLOW_IPS alone."""
    from config.asgi import application

    allowed = settings.FORWARDED_ALLOW_IPS
    networks = [ip_network(proxy) for proxy in (["0.0.0.0/0", "::/0"] if "*" in allowed else allowed)]

    def trusted(host):
        with suppress(ValueError):
            return any(ip_address(host) in network for network in networks)

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            return  # Django has none
        if scope["client"] and trusted(scope["client"][0]):
            headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
            if forwarded := headers.get(b"x-forwarded-for"):
                # Each proxy appends who called it, so the client is the last that is not a proxy itself.
                hops = [hop.strip() for hop in forwarded.split(",")]
                scope["client"] = (next((hop for hop in reversed(hops) if not trusted(hop)), hops[0]), 0)
            if (scheme := headers.get(b"x-forwarded-proto")) in ("http", "https"):
                scope["scheme"] = scheme.replace("http", "ws") if scope["type"] == "websocket" else scheme
        await application(scope, receive, send)

    return app


async def run(signals):
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in signals:
        loop.add_signal_handler(number, stop.set)

    async def stopped():
        """Ask the WebSocket clients to come back before Hypercorn stops; it would wait until they leave."""
        await stop.wait()
        await drain(timeout=settings.REALTIME["DRAIN_SECONDS"])
        loop.call_later(GRACE + 1, os._exit, 0)  # it would wait for one that does not read, too

    await hypercorn.asyncio.serve(make_application(), make_config(), shutdown_trigger=stopped)


def serve(signals=()):
    asyncio.run(run(signals), loop_factory=uvloop.new_event_loop)


def main():
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    preflight()
    if "--reload" in sys.argv:
        autoreload.run_with_reloader(serve)
    else:
        serve(signals=(signal.SIGTERM, signal.SIGINT))


if __name__ == "__main__":
    main()
