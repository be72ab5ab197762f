from django.apps import AppConfig


class FaultyConfig(AppConfig):
    name = "faulty"
    url_prefix = "faulty/"
