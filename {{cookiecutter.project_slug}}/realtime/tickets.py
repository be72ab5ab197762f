"""Tickets: a single use and thirty seconds, for clients that can send neither cookie nor subprotocol."""

import secrets

from django.core.cache import cache

TICKET_SECONDS = 30


def issue(user_id: int, expires: float | None) -> str:
    """Make a ticket for a user; the socket that it opens is closed at `expires` (seconds since 1970)."""
    ticket = secrets.token_urlsafe(32)
    cache.set(f"ws-ticket:{ticket}", (user_id, expires), TICKET_SECONDS)
    return ticket


def redeem(ticket: str) -> tuple[int, float | None] | None:
    """Whose ticket it is and when the login ends; None if it is unknown, used or too old."""
    key = f"ws-ticket:{ticket}"
    found = cache.get(key)
    return found if found is not None and cache.delete(key) else None  # of two at once, one deletes it
