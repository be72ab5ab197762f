from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"
    url_prefix = ""
    endpoints = [("monitoring:channels", "Channels", "who is connected, to what, and in which process")]
