"""The channel layer and the cache: both in the memory of the one process that serves."""

from pathlib import Path

from marshmallow.validate import Predicate

from config.database import DATABASES
from config.environment import BASE_DIR, env, read

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # with more it forgets tickets, and who failed to log in
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "realtime.layer_memory.ChannelLayer",
        "CONFIG": {
            "socket": read(
                env.path,
                "REALTIME_SOCKET",
                "an absolute path, for example REALTIME_SOCKET=/var/lib/site/realtime.sock",
                # Beside the database, if that is a file.
                default=BASE_DIR / Path(DATABASES["default"]["NAME"]).parent / "realtime.sock",
                validate=Predicate("is_absolute"),
            )
        },
    }
}
