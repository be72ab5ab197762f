"""System checks: settings that work on a developer's machine and hurt in production."""

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register


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
            any(database.get("CONN_MAX_AGE") != 0 for database in settings.DATABASES.values()),
            Warning(
                "CONN_MAX_AGE of a database is not 0: under ASGI each thread keeps its connection.",
                hint="Set CONN_MAX_AGE to 0 in DATABASES.",
                id="realtime.W003",
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
