from django.apps import AppConfig


class AssistantConfig(AppConfig):
    name = "assistant"
    url_prefix = ""
    nav = [("assistant:index", "Assistant", "Ask several models at once, and compare their answers.")]

    def ready(self):
        from assistant import checks, signals  # noqa: F401  (register and connect them)
