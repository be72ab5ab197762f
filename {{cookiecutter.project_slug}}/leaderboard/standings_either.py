"""Standings: who is where; Redis knows, or without one the database itself."""

from django.conf import settings

if settings.USE_INMEMORY_CHANNELS:
    from leaderboard.standings_memory import best, catch_up, changes, find, forget, is_behind, record
else:
    from leaderboard.standings_redis import best, catch_up, changes, find, forget, is_behind, record

__all__ = ["best", "catch_up", "changes", "find", "forget", "is_behind", "record"]
