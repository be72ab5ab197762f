from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "realtime"
    url_prefix = "api/"
    endpoints = [("asyncapi", "WebSockets", "what each of them takes and sends, to try out in the browser")]

    def ready(self):
        from realtime import checks, database, layer  # noqa: F401  (register checks, and what closes the pools)
