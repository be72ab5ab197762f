"""System checks: routes that nobody reaches, and settings that hurt in production."""

from importlib import import_module

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register

from realtime.reachable import CURE, unreachable


@register(Tags.security, deploy=True)
def settings_that_hurt(app_configs, **kwargs):
    """For `manage.py check --deploy`: what is wrong, and the cure."""
    problems = [
        (
            "*" in settings.ALLOWED_HOSTS,
            Error(
                "ALLOWED_HOSTS contains '*', so a client decides which host links and redirects name.",
                hint="Name the hosts, for example ALLOWED_HOSTS=example.com,www.example.com.",
                id="realtime.E002",
            ),
        ),
        (
            settings.REALTIME["MAX_MESSAGE_BYTES"] > 1_048_576,
            Warning(
                "A client may send frames of more than 1 MiB: a few hundred of them fill the memory.",
                hint="Set WS_MAX_MESSAGE_BYTES to what your frames need, for example 65536.",
                id="realtime.W005",
            ),
        ),
    ]
    return [problem for found, problem in problems if found]


@register(Tags.urls)
def routes_that_nobody_reaches(app_configs, **kwargs):
    """For every command that checks, as `migrate` does: what config/asgi.py does not start with."""
    routes = import_module("config.routing").websocket_urlpatterns
    return [Error(problem, hint=CURE, id="realtime.E006") for problem in unreachable(routes)]
