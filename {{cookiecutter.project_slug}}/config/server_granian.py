"""Serve the project with Granian: `python -m config.server`, or with `--reload` while developing."""

import asyncio
import multiprocessing
import os
import signal
import sys

from django.conf import settings
from granian import Granian
from granian.constants import Interfaces
from granian.utils.proxies import wrap_asgi_with_proxy_headers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

GRACE = 3  # seconds that running requests have to end, once the sockets are closed


def load_application():
    """Load the application in a worker."""
    from config.asgi import application

    # Granian sets its signal handlers after this, and starts the loop after that.
    loop = asyncio.get_event_loop()
    loop.call_soon(drain_on_sigterm, loop)
    return wrap_asgi_with_proxy_headers(application, trusted_hosts=settings.FORWARDED_ALLOW_IPS)


def drain_on_sigterm(loop):
    """Ask the WebSocket clients to come back before the worker stops; Granian would cut their connections."""
    from realtime.drain import drain

    async def stop():
        await drain(code=1012, timeout=settings.REALTIME["DRAIN_SECONDS"])
        signal.raise_signal(signal.SIGINT)  # Granian's own handler still has this one

    loop.add_signal_handler(signal.SIGTERM, lambda: loop.create_task(stop()))


def main():
    reload = "--reload" in sys.argv
    if reload:
        multiprocessing.set_start_method("spawn")  # forked workers would keep the old settings
    server = Granian(
        "config.asgi:application",
        address=settings.HOST,
        port=settings.PORT,
        interface=Interfaces.ASGINL,  # without lifespan, which Django has not
        workers=1 if reload else settings.WEB_CONCURRENCY,
        workers_kill_timeout=settings.REALTIME["DRAIN_SECONDS"] + GRACE,
        backlog=2048,
        log_access=True,  # its format has no query string, where a ticket or a token may stand
        reload=reload,
        reload_ignore_patterns=[r"\.sqlite3"],
    )
    server.serve(target_loader=load_application, wrap_loader=False)


if __name__ == "__main__":
    main()
