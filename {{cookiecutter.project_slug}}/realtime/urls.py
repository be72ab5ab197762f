from django.conf import settings
from django.urls import path
from django.utils.module_loading import import_string

from realtime.views import asyncapi

urlpatterns = [
    path("ws-ticket/", import_string(settings.REALTIME["TICKET_VIEW"]), name="ws-ticket"),
    path("asyncapi.json", asyncapi, name="asyncapi"),
]
