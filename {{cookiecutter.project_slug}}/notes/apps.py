from django.apps import AppConfig


class NotesConfig(AppConfig):
    name = "notes"
    url_prefix = "api/"
    endpoints = [("docs", "REST API", "OpenAPI documentation, to try out in the browser")]
