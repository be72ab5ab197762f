"""The WSGI application: the HTTP half of the project, for servers that do not speak ASGI."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from serving.forwarded import WSGIProxyHeaders

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = WSGIProxyHeaders(get_wsgi_application(), trusted=settings.FORWARDED_ALLOW_IPS)
