from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "realtime"
    url_prefix = "api/"
    endpoints = [("asyncapi", "WebSocket frames", "every frame type of every consumer, as AsyncAPI")]

    def ready(self):
#% if cookiecutter.database == "postgresql"
        from realtime import checks, database  # noqa: F401  (registers checks, and what closes the pools)
#% else
        from realtime import checks  # noqa: F401  (registers them)
#% endif
