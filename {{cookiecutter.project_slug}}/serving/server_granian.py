"""Serve the project with Granian: `python -m serving.server`, or with `--reload` while developing."""

import asyncio
import atexit
import multiprocessing
import os
import signal
import sys
import time
from copy import deepcopy
from multiprocessing.util import Finalize

from django.conf import settings
from django.utils.log import configure_logging
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from serving.granian_sockets import cut, ended, started, watch
from serving.hub import start_hub
from serving.preflight import preflight
from serving.stopping import drain_sockets, finish_handshakes
from serving.timeouts import GRACE, REQUEST_TIMEOUT
from serving.workers import shared_figures

ABNORMAL = 1006  # the code of a socket that ended without a close frame


def load_application():
    """Load the application in a worker process."""
    from config.asgi import application

    Finalize(None, atexit._run_exitfuncs, exitpriority=0)  # not every Python runs them in a forked process
    loop = asyncio.get_event_loop()
    loop.call_soon(handle_stops, loop)  # Granian sets its own handlers before the loop's first step
    loop.call_soon(start_hub)
    app = closing_at_once(application)
    if sys.platform == "linux":
        app.watching = loop.create_task(watch())
    return app


def load_for_development():
    """Load it if the project is sound."""
    from serving.development import check_project

    check_project()
    return load_application()


def handle_stops(loop):
    """Ask the WebSocket clients to come back before the worker stops; Granian would cut their connections."""
    parent = multiprocessing.parent_process()  # from before it was started: that one may be dead by now
    main, stopping = parent.pid if parent else os.getppid(), None

    async def stop():
        await drain_sockets()
        await asyncio.sleep(0.1)  # until the last handshakes have arrived, and are refused
        await finish_handshakes(lambda: bool(started), timeout=1)
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
        host, port = scope["client"]
        client = (host, int(port)) if not settings.UNIX_SOCKET else ("", id(scope))  # there are no addresses
        ended.pop(client, None)  # who used this address and port before
        if scope["type"] != "websocket":
            return await application(scope, receive, send)
        pending = closed = None

        def abort():
            cut({client})
            if closed is not None and not closed.done():  # the close frame is stuck
                closed.set_result(ABNORMAL)

        scope["extensions"] = {**(scope.get("extensions") or {}), "realtime.abort": abort}

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
            ended[client] = time.monotonic()
            if pending is not None:
                pending.cancel()
            # Who gives up waiting does not end it: Granian would drop the socket, and it could not be cut.
            await asyncio.shield(asyncio.ensure_future(finish(message)))

        async def finish(message):
            try:
                await send(message)
            finally:
                if not closed.done():  # the application has not been cancelled meanwhile
                    closed.set_result(message.get("code", 1000))

        started.add(client)
        try:
            await application(scope, receive_until_closed, send_and_close)
        finally:
            started.discard(client)
            ended.setdefault(client, time.monotonic())

    return app


def main():
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    preflight()
    reload = "--reload" in sys.argv
    if reload:
        multiprocessing.set_start_method("spawn")  # a forked worker would have the old settings
    server = Granian(
        "config.asgi:application",
        address=settings.HOST,
        port=settings.PORT,
        uds=settings.UNIX_SOCKET,
        uds_permissions=0o666,  # who gets there, its folder says
        interface=Interfaces.ASGINL,  # without lifespan, which Django has not
        workers=1 if reload else settings.WEB_CONCURRENCY,
        workers_kill_timeout=settings.REALTIME["DRAIN_SECONDS"] + GRACE,
        backlog=2048,
        http=HTTPModes.http1,  # else a connection that sends nothing is waited for without limit
        http1_settings=HTTP1Settings(header_read_timeout=REQUEST_TIMEOUT * 1000),
        log_dictconfig=deepcopy(settings.LOGGING),  # which it changes; config/logs.py has a log of requests
        reload=reload,
        reload_ignore_patterns=[r"^(?!.*\.(py|html)$)"],  # all that is not source
        reload_ignore_worker_failure=True,  # it waits for the change that mends it
    )
    with shared_figures(settings.WEB_CONCURRENCY):
        server.serve(target_loader=load_for_development if reload else load_application, wrap_loader=False)


if __name__ == "__main__":
    main()
