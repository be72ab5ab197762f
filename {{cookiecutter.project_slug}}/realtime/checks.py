"""System checks: settings that work on a developer's machine and hurt in production."""

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.conf import settings
from django.core.checks import Error, Tags, Warning, register


@register(Tags.security, deploy=True)
def one_process_only(app_configs, **kwargs):
    if settings.WEB_CONCURRENCY > 1 and isinstance(get_channel_layer(), InMemoryChannelLayer):
        return [
            Error(
                "The in-memory channel layer serves one process, but WEB_CONCURRENCY is more than 1.",
                hint="Set WEB_CONCURRENCY=1, or CHANNEL_LAYERS to a layer on Redis.",
                id="realtime.E001",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def hosts_are_named(app_configs, **kwargs):
    if "*" in settings.ALLOWED_HOSTS:
        return [
            Error(
                "ALLOWED_HOSTS contains '*', so any web page may open a WebSocket with a visitor's cookies.",
                hint="Name the hosts, for example ALLOWED_HOSTS=example.com,www.example.com.",
                id="realtime.E002",
            )
        ]
    return []


@register(Tags.database, deploy=True)
def connections_end(app_configs, **kwargs):
    return [
        Warning(
            f"CONN_MAX_AGE of the database {alias!r} is not 0: under ASGI each thread keeps its connection.",
            hint="Set CONN_MAX_AGE to 0 and, on PostgreSQL, OPTIONS['pool'].",
            id="realtime.W003",
        )
        for alias, database in settings.DATABASES.items()
        if database.get("CONN_MAX_AGE") != 0
    ]


@register(Tags.security, deploy=True)
def one_host(app_configs, **kwargs):
    layer = settings.CHANNEL_LAYERS["default"]
    if layer["BACKEND"].endswith("core.RedisChannelLayer") and len(layer["CONFIG"].get("hosts", [])) > 1:
        return [
            Error(
                "The Redis channel layer loses messages when it has several hosts (django/channels#1492).",
                hint="Name one host, or Sentinel, in CHANNEL_LAYERS.",
                id="realtime.E004",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def frames_are_small(app_configs, **kwargs):
    if settings.REALTIME["MAX_MESSAGE_BYTES"] > 1_048_576:
        return [
            Warning(
                "A client may send frames of more than 1 MiB: a few hundred of them fill the memory.",
                hint="Set WS_MAX_MESSAGE_BYTES to what your frames need, for example 65536.",
                id="realtime.W005",
            )
        ]
    return []
