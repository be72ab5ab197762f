from django.apps import AppConfig


class HealthConfig(AppConfig):
    name = "health"
    endpoints = [
        ("/api/health/", "Health", "database, cache and channel layer, for load balancers and monitors"),
    ]

    def ready(self):
        from config import middleware  # noqa: F401  (registers its check)
