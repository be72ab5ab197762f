"""Presence: who is in a group; Redis knows, or without one the memory of this process."""

from django.conf import settings

if settings.USE_INMEMORY_CHANNELS:
    from rooms.presence_memory import announce, enter, is_present, leave, present
else:
    from rooms.presence_redis import announce, enter, is_present, leave, present

__all__ = ["announce", "enter", "is_present", "leave", "present"]
