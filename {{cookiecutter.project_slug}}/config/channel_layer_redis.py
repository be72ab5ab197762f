"""The channel layer and the cache: both in Redis, for all processes."""

from marshmallow import validate
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.environment import env, read

REDIS_URL = read(
    env.str,
    "REDIS_URL",
    "a URL such as redis://:password@localhost:6379/0 (rediss:// for TLS)",
    default="redis://localhost:6379/0",
    validate=validate.URL(schemes={"redis", "rediss", "unix"}, require_tld=False),
)
# Another project on the same Redis must not hear this one's events or redeem tickets here.
REDIS_PREFIX = "{{ cookiecutter.project_slug }}"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": REDIS_PREFIX,
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2, "retry": Retry(NoBackoff(), 0)},
    }
}
REDIS_HOST = {
    "address": REDIS_URL,
    "socket_timeout": 5,  # longer than the layer waits for an event; a Redis that hangs is noticed then
    "socket_connect_timeout": 5,
    "max_connections": 1000,  # its default of 100 fails the 101st handshake of a rush
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "realtime.layer_{{ cookiecutter.channel_layer }}.ChannelLayer",
        "CONFIG": {
            "hosts": [REDIS_HOST],
            "prefix": REDIS_PREFIX,
#% if cookiecutter.channel_layer == "redis_queue"
            "capacity": read(
                env.int,
                "CHANNEL_CAPACITY",
                "a number of events that may wait for a process, for example CHANNEL_CAPACITY=10000",
                default=10_000,
                validate=validate.Range(1),
            ),
            "expiry": read(
                env.int,
                "CHANNEL_EXPIRY",
                "a number of seconds after which a waiting event is dropped, for example CHANNEL_EXPIRY=60",
                default=60,
                validate=validate.Range(1),
            ),
#% endif
        },
    }
}
