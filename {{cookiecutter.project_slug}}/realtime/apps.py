from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "realtime"

    def ready(self):
        from realtime import checks, database, layer  # noqa: F401  (register checks, and what closes the pools)
