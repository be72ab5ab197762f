from django.apps import AppConfig

from config import collect


class MonitoringConfig(AppConfig):
    name = "monitoring"
    url_prefix = ""
    endpoints = [("monitoring:channels", "Channels", "who is connected, to what, and in which process")]

    def ready(self):
        from monitoring.figures import METRICS, of_apps

        for module in collect.modules("metrics"):
            METRICS.update(module.METRICS)
            of_apps.append(module.figures)
