from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    url_prefix = ""
    nav = [("notifications:index", "Notifications", "Yours alone, and here the moment they are sent.")]
