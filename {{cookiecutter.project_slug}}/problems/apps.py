from django.apps import AppConfig


class ProblemsConfig(AppConfig):
    name = "problems"
    url_prefix = ""
    nav = [("problems:index", "Problems", "Programs that are judged while you watch.")]

    def ready(self):
        from problems import checks, signals  # noqa: F401  (register checks, and what hears of changes)
