from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    url_prefix = "notifications/"
    nav = [("notifications:index", "Notifications", "Personal news that arrives as it happens.")]
