"""Partials: the text so far of answers; Redis keeps it, or without one the memory of this process."""

from django.conf import settings

if settings.USE_INMEMORY_CHANNELS:
    from assistant.partials_memory import forget, keep, read
else:
    from assistant.partials_redis import forget, keep, read

__all__ = ["forget", "keep", "read"]
