"""Tickets: a single use and thirty seconds, for clients that can send neither cookie nor subprotocol."""

import secrets
from hashlib import sha256

from realtime.cache import cache

TICKET_SECONDS = 30


def issue(**proof: str) -> str:
    """Make a ticket that stands for a proof, `session=` its key or `token=` the token.

    Raises ConnectionError when the cache cannot be reached.
    """
    ticket = secrets.token_urlsafe(32)
    try:
        cache.set(_key(ticket), proof, TICKET_SECONDS)
    except Exception as error:  # each cache has its own
        raise ConnectionError(f"the cache does not take a ticket: {error!r}") from error
    return ticket


def redeem(ticket: str) -> dict[str, str]:
    """The proof that a ticket stands for, empty if the ticket is unknown, used or too old.

    Whether the proof still holds is to be seen. Raises ConnectionError when the cache cannot be reached.
    """
    key = _key(ticket)
    try:
        proof = cache.get(key)
        return proof if proof and cache.delete(key) else {}  # of two at once, one deletes it
    except Exception as error:
        raise ConnectionError(f"the cache does not give a ticket out: {error!r}") from error


def _key(ticket: str) -> str:
    """What a client sends is no key for every cache; nor can who reads a cache use the tickets in it."""
    return f"ws-ticket:{sha256(ticket.encode()).hexdigest()}"
