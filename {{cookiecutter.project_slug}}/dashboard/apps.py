from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
    url_prefix = ""
    nav = [("dashboard:index", "Dashboard", "What happens on the site, figure by figure, as it happens.")]

    def ready(self):
        from accounts import mentors  # noqa: F401  (connects its signals)

    def is_for(self, user):
        from accounts.mentors import may_supervise

        return may_supervise(user)
