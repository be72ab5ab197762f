from django.apps import AppConfig


class HealthConfig(AppConfig):
    name = "health"

    def ready(self):
        from config import middleware  # noqa: F401  (registers its check)
