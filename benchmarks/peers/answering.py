"""A generated project that says how late its event loop is."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

import config.asgi  # noqa: E402 (these need Django to be set up)
import serving.server  # noqa: E402

from .measured import measured  # noqa: E402

config.asgi.application = measured(config.asgi.application, None)
serving.server.main()
