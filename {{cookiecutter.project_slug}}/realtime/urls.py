from django.conf import settings
from django.urls import path
from django.utils.module_loading import import_string

from realtime.views import asyncapi, asyncapi_page

urlpatterns = [
    path("ws-ticket/", import_string(settings.REALTIME["TICKET_VIEW"]), name="ws-ticket"),
    path("asyncapi/", asyncapi_page, name="asyncapi"),
    path("asyncapi.json", asyncapi, name="asyncapi-json"),
]
