from django.apps import AppConfig


class AssistantConfig(AppConfig):
    name = "assistant"
    url_prefix = ""

    def ready(self):
        from assistant import signals  # noqa: F401  (connects them)
