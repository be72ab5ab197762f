"""Serve the project with Uvicorn: `python -m serving.server`, or with `--reload` while developing."""

import multiprocessing
import os

import uvicorn
from django.conf import settings

from serving.hub import start_hub
from serving.starting import start_server
from serving.uvicorn_setup import OPTIONS, before_shutdown, leave_by_atexit
from serving.workers import shared_figures

uvicorn_startup, uvicorn_shutdown = uvicorn.Server.startup, uvicorn.Server.shutdown
uvicorn_on_tick = uvicorn.Server.on_tick


async def startup(server, sockets=None):
    await uvicorn_startup(server, sockets)
    start_hub()


async def on_tick(server, counter):
    """Stop, too, when the parent of this worker was killed, which would leave it behind with the port."""
    parent = multiprocessing.parent_process()
    return await uvicorn_on_tick(server, counter) or bool(parent and os.getppid() != parent.pid)


async def shutdown(server, sockets=None):
    await before_shutdown(server)
    await uvicorn_shutdown(server, sockets)


# Every worker imports this module anew, so what stands here holds in each of them.
uvicorn.Server.startup, uvicorn.Server.shutdown, uvicorn.Server.on_tick = startup, shutdown, on_tick
leave_by_atexit()


def serve(workers=1):
    uvicorn.run(
        "config.asgi:application",
        host=settings.HOST,
        port=settings.PORT,
        uds=settings.UNIX_SOCKET and str(settings.UNIX_SOCKET),
        workers=workers,
        log_config=None,  # settings.LOGGING is in force
        **OPTIONS,
    )


def serve_with_workers():
    with shared_figures(settings.WEB_CONCURRENCY):
        serve(workers=settings.WEB_CONCURRENCY)


def main():
    start_server(serve_with_workers, serve_for_development=serve)


if __name__ == "__main__":
    main()
