from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import import_string


class RealtimeConfig(AppConfig):
    name = "realtime"
    url_prefix = "api/"
    endpoints = [("asyncapi", "WebSockets", "what each of them takes and sends, to try out in the browser")]

    def ready(self):
        from realtime import checks, database  # noqa: F401  (register checks, and what closes the pools)

        import_string(settings.CHANNEL_LAYERS["default"]["BACKEND"])  # which may have a check of its own
