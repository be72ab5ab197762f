from django.apps import AppConfig


class LeaderboardConfig(AppConfig):
    name = "leaderboard"
    url_prefix = ""
    nav = [("leaderboard:index", "Leaderboard", "Who has how many points, while they are won.")]

    def ready(self):
        from leaderboard import signals  # noqa: F401  (connects them)
