"""A generated project with three more views, by ASGI or by WSGI, behind its middleware, or none.

`CHAIN` is "project", "none", or "standard", where Django runs the middleware as it runs others; `THREADS` is
"kept", or "django" for its own handler, which starts one for each request; `SERVING` is "asgi" or "wsgi".
"""

import os
import sys
from types import SimpleNamespace

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

import config.middleware  # noqa: E402 (these need Django to be set up)
import config.urls  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.http import HttpResponseForbidden, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402


async def view(request):
    return JsonResponse({"status": "ok", "items": [1, 2, 3]})


def sync_view(request):
    return JsonResponse({"status": "ok", "items": [1, 2, 3]})


async def query(request):
    """Answer whoever is logged in, from a query of its own beside those for the session and the user."""
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponseForbidden()
    return JsonResponse({"status": "ok", "groups": [group.name async for group in user.groups.all()]})


config.urls.urlpatterns[:0] = [
    path("bench/", view),
    path("bench/sync/", sync_view),
    path("bench/query/", query),
]
if os.environ["CHAIN"] == "none":
    settings.MIDDLEWARE = []
elif os.environ["CHAIN"] == "standard":
    config.middleware.stay_on_the_loop = lambda: None

if os.environ["THREADS"] == "django":
    sys.modules["serving.request_threads"] = SimpleNamespace(RequestThreads=lambda application: application)
    sys.modules["serving.handler"] = SimpleNamespace(Handler=ASGIHandler)
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 0

if os.environ["SERVING"] == "wsgi":
    import serving.wsgi

    serving.wsgi.main()
else:
    import serving.server

    serving.server.main()
