from django.apps import AppConfig


class ProblemsConfig(AppConfig):
    name = "problems"
    url_prefix = ""

    def ready(self):
        from problems import signals  # noqa: F401  (connects them)
