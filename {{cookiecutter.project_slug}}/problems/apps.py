from django.apps import AppConfig


class ProblemsConfig(AppConfig):
    name = "problems"
    url_prefix = "api/"
    endpoints = [("docs", "REST API", "OpenAPI documentation, to try out in the browser")]
