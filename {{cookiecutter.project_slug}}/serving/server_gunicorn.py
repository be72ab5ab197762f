"""Serve the project with Gunicorn: `python -m serving.server`, or with `--reload` while developing."""

import asyncio
import logging
import os
import signal
import sys

import uvicorn
from django.conf import settings
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from uvicorn_worker import UvicornWorker

from serving.gunicorn_log import Logger
from serving.hub import start_hub
from serving.starting import start_server
from serving.timeouts import GRACE
from serving.uvicorn_setup import OPTIONS, before_shutdown, leave_by_atexit
from serving.workers import shared_figures


class Server(uvicorn.Server):
    def __init__(self, config, parent=None):
        super().__init__(config)
        self.parent = parent or os.getppid()

    async def startup(self, sockets=None):
        await super().startup(sockets)
        start_hub()

    async def on_tick(self, counter):
        """Stop, too, when the parent process was killed, which would leave this one behind with the port."""
        return await super().on_tick(counter) or os.getppid() != self.parent

    async def shutdown(self, sockets=None):
        await before_shutdown(self)
        await super().shutdown(sockets)


class Worker(UvicornWorker):
    CONFIG_KWARGS = OPTIONS

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        logging.getLogger("uvicorn.error").propagate = True

    async def _serve(self):
        self.config.app = self.wsgi
        server = Server(self.config, parent=self.ppid)  # known before the fork: it may be dead by now
        loop = asyncio.get_running_loop()
        # What Gunicorn sends its workers after Ctrl-C; uvicorn-worker does nothing about it.
        loop.add_signal_handler(signal.SIGQUIT, server.handle_exit, signal.SIGTERM, None)
        leave_by_atexit()
        await server.serve(self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)  # or the master would try for ever


class Gunicorn(BaseApplication):
    def load_config(self):
        options = {
            "bind": f"unix:{path}" if (path := settings.UNIX_SOCKET) else f"{settings.HOST}:{settings.PORT}",
            "workers": settings.WEB_CONCURRENCY,
            "worker_class": Worker,
            "graceful_timeout": settings.REALTIME["DRAIN_SECONDS"] + GRACE + 1,
            "logger_class": Logger,
            "control_socket_disable": True,  # nobody uses gunicornc here
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self):
        from config.asgi import application

        return application


def serve():
    with shared_figures(settings.WEB_CONCURRENCY):
        Gunicorn().run()


def serve_for_development():
    # Gunicorn's own reloader has no effect on Uvicorn workers, so one Uvicorn stands in for them.
    config = uvicorn.Config(
        "config.asgi:application", settings.HOST, settings.PORT, log_config=None, **OPTIONS
    )
    Server(config).run()


def main():
    start_server(serve, serve_for_development)


if __name__ == "__main__":
    main()
