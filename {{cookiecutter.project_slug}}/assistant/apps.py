from django.apps import AppConfig


class AssistantConfig(AppConfig):
    name = "assistant"

    def ready(self):
        from assistant import signals  # noqa: F401  (connects them)
