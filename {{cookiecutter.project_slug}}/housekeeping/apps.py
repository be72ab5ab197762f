from django.apps import AppConfig


class HousekeepingConfig(AppConfig):
    name = "housekeeping"

    def ready(self):
        # So that tasks know their broker, and a wrong setting is said at the start.
        from config import celery, tasks  # noqa: F401
