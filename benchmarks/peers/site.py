"""A generated project with one more view, behind its middleware, or none, or the same as Django runs it."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

import config.middleware  # noqa: E402 (these need Django to be set up)
import config.urls  # noqa: E402
from django.conf import settings  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402


async def view(request):
    return JsonResponse({"status": "ok", "items": [1, 2, 3]})


config.urls.urlpatterns.insert(0, path("bench/", view))
if os.environ["CHAIN"] == "none":
    settings.MIDDLEWARE = []
elif os.environ["CHAIN"] == "standard":
    config.middleware.stay_on_the_loop = lambda: None

import serving.server  # noqa: E402

serving.server.main()
