"""Serve the project with Gunicorn: `python -m serving.server`, or with `--reload` while developing."""

import asyncio
import logging
import os
import signal
import sys

import uvicorn
from django.conf import settings
from django.utils import autoreload
from django.utils.log import configure_logging
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from uvicorn_worker import UvicornWorker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from serving.preflight import preflight
from serving.uvicorn_frames import PROTOCOLS, finish_handshakes

PING_INTERVAL = PING_TIMEOUT = 20  # seconds; less than the idle timeouts of proxies and load balancers
GRACE = 3  # seconds that running requests have to end, once the sockets are closed


def hide_query(record):
    """Cut the query string, which may hold a ticket or a token, off the addresses that Uvicorn logs."""
    record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
    return True


logging.getLogger("uvicorn.access").addFilter(hide_query)  # HTTP requests
logging.getLogger("uvicorn.error").addFilter(hide_query)  # WebSocket handshakes


class Server(uvicorn.Server):
    def __init__(self, config):
        super().__init__(config)
        self.parent = os.getppid()

    async def on_tick(self, counter):
        """Stop, too, when the parent process was killed, which would leave this one behind with the port."""
        return await super().on_tick(counter) or os.getppid() != self.parent

    async def shutdown(self, sockets=None):
        """Ask the WebSocket clients to come back, then let Uvicorn close what is left."""
        from realtime.drain import drain  # in the worker only: the master process loads no application code

        await drain(timeout=settings.REALTIME["DRAIN_SECONDS"])
        await finish_handshakes(self)
        await super().shutdown(sockets)


class Worker(UvicornWorker):
    CONFIG_KWARGS = {
        **PROTOCOLS,
        "ws_max_size": settings.REALTIME["MAX_MESSAGE_BYTES"],
        "ws_ping_interval": PING_INTERVAL,
        "ws_ping_timeout": PING_TIMEOUT,
        "ws_per_message_deflate": False,  # compression would more than double the memory of a socket
        "proxy_headers": bool(settings.FORWARDED_ALLOW_IPS),
        "forwarded_allow_ips": settings.FORWARDED_ALLOW_IPS,
        "timeout_graceful_shutdown": GRACE,  # without it, one endless stream would keep a worker alive
        "lifespan": "off",  # Django has none
        "server_header": False,
    }

    async def _serve(self):
        self.config.app = self.wsgi
        server = Server(self.config)
        loop = asyncio.get_running_loop()
        # What Gunicorn sends its workers after Ctrl-C; uvicorn-worker does nothing about it.
        loop.add_signal_handler(signal.SIGQUIT, server.handle_exit, signal.SIGTERM, None)
        await server.serve(self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)  # or the master would try for ever


class Gunicorn(BaseApplication):
    def load_config(self):
        options = {
            "bind": f"{settings.HOST}:{settings.PORT}",
            "workers": settings.WEB_CONCURRENCY,
            "worker_class": Worker,
            "graceful_timeout": settings.REALTIME["DRAIN_SECONDS"] + GRACE + 1,
            "accesslog": "-",
            "control_socket_disable": True,  # nobody uses gunicornc here
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self):
        from config.asgi import application

        return application


def serve_for_development():
    # Gunicorn's own reloader has no effect on Uvicorn workers, so one Uvicorn stands in for them.
    config = uvicorn.Config(
        "config.asgi:application", settings.HOST, settings.PORT, log_config=None, **Worker.CONFIG_KWARGS
    )
    Server(config).run()


def main():
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    preflight()
    if "--reload" in sys.argv:
        autoreload.run_with_reloader(serve_for_development)
    else:
        Gunicorn().run()


if __name__ == "__main__":
    main()
