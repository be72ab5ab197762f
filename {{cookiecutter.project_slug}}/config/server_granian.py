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

from config.preflight import preflight

GRACE = 3  # seconds that running requests have to end, once the sockets are closed


def load_application():
    """Load the application in a worker process."""
    from config.asgi import application

    loop = asyncio.get_event_loop()
    loop.call_soon(handle_stops, loop)  # Granian sets its own handlers before the loop's first step
    return wrap_asgi_with_proxy_headers(closing_at_once(application), settings.FORWARDED_ALLOW_IPS)


def handle_stops(loop):
    """Ask the WebSocket clients to come back before the worker stops; Granian would cut their connections."""
    from realtime.drain import drain

    main, stopping = os.getppid(), None

    async def stop():
        await drain(timeout=settings.REALTIME["DRAIN_SECONDS"])
        signal.raise_signal(signal.SIGINT)  # which Granian's own handler still takes

    def stop_once():  # a process manager may tell the worker, too, what Granian's main process tells it
        nonlocal stopping
        stopping = stopping or loop.create_task(stop())

    def stop_when_alone():  # a main process that is killed would leave its workers behind, with their port
        if os.getppid() == main:
            loop.call_later(1, stop_when_alone)
        else:
            stop_once()

    loop.add_signal_handler(signal.SIGTERM, stop_once)
    stop_when_alone()


def closing_at_once(application):
    """Let an application close a socket while it waits for a message.

    Granian sends no close frame as long as a receive() is pending, and ends no receive() after it.
    """

    async def app(scope, receive, send):
        if scope["type"] != "websocket":
            return await application(scope, receive, send)
        pending = closed = None

        async def receive_until_closed():
            nonlocal pending
            if closed is None:
                pending = receive()
                try:
                    return await pending
                except asyncio.CancelledError:
                    if closed is None:
                        raise
                finally:
                    pending = None
            return {"type": "websocket.disconnect", "code": await closed}

        async def send_and_close(message):
            nonlocal closed
            if message["type"] != "websocket.close":
                return await send(message)
            closed = asyncio.get_running_loop().create_future()
            if pending is not None:
                pending.cancel()
            try:
                await send(message)
            finally:
                closed.set_result(message.get("code", 1000))

        await application(scope, receive_until_closed, send_and_close)

    return app


def main():
    preflight()
    reload = "--reload" in sys.argv
    if reload:
        multiprocessing.set_start_method("spawn")  # a forked worker would have the old settings
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
        reload_ignore_patterns=[r"^(?!.*\.(py|html)$)"],  # all that is not source
    )
    server.serve(target_loader=load_application, wrap_loader=False)


if __name__ == "__main__":
    main()
