from django.apps import AppConfig


class HousekeepingConfig(AppConfig):
    name = "housekeeping"

    def ready(self):
        from config import celery  # noqa: F401  (so that tasks know their broker)
