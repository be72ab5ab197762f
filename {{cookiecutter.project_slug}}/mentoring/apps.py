from django.apps import AppConfig


class MentoringConfig(AppConfig):
    name = "mentoring"
    url_prefix = ""
    nav = [("mentoring:index", "Mentoring", "What mentors and students tell each other, live.")]

    def ready(self):
        from accounts import mentors  # noqa: F401  (connects its signals)
        from mentoring import signals  # noqa: F401
