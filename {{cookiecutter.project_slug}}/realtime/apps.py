from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "realtime"
    url_prefix = "api/"
    endpoints = [("asyncapi", "WebSocket frames", "every frame type of every consumer, as AsyncAPI")]

    def ready(self):
        from realtime import checks, database, layer  # noqa: F401  (register checks, and what closes the pools)
