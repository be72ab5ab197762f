"""What a user may send over all sockets: counted by Redis, or without one in the memory of this process."""

from django.conf import settings

if settings.USE_INMEMORY_CHANNELS:
    from realtime.allowance_memory import draw, forget
else:
    from realtime.allowance_redis import draw, forget

__all__ = ["draw", "forget"]
