"""A generated project with views that wait for others, served by WSGI or by ASGI, as `SERVING` says."""

import asyncio
import os
import time

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

import config.urls  # noqa: E402 (these need Django to be set up)
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

SERVING = os.environ["SERVING"]  # "async", "sync-views" (both under ASGI), "sync-workers" or "threads"


def calls(request, count, ms):
    """So many calls one after the other, of so many milliseconds each."""
    for _ in range(count):
        time.sleep(ms / 1000)
    return JsonResponse({"status": "ok"})


async def async_calls(request, count, ms):
    for _ in range(count):
        await asyncio.sleep(ms / 1000)
    return JsonResponse({"status": "ok"})


async def gathered(request, count, ms):
    """All at the same time, which threads have no short way to say."""
    await asyncio.gather(*(asyncio.sleep(ms / 1000) for _ in range(count)))
    return JsonResponse({"status": "ok"})


is_async = SERVING == "async"
config.urls.urlpatterns[:0] = [
    path("bench/calls/<int:count>/<int:ms>/", async_calls if is_async else calls),
    path("bench/gather/<int:count>/<int:ms>/", gathered if is_async else calls),
]

if SERVING in ("async", "sync-views"):
    import serving.server

    serving.server.main()
else:
    import serving.wsgi

    class Gunicorn(serving.wsgi.Gunicorn):
        def load_config(self):
            super().load_config()
            if SERVING == "sync-workers":
                self.cfg.set("worker_class", "sync")
            self.cfg.set("backlog", 4096)
            self.cfg.set("timeout", 600)  # that it is slow is what is measured

    serving.wsgi.Gunicorn = Gunicorn
    serving.wsgi.main()
