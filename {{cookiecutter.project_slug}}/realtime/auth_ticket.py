"""Tickets: a single use and thirty seconds, for clients that can send neither cookie nor subprotocol."""

import secrets
from hashlib import sha256
from urllib.parse import parse_qs

from realtime.cache import cache
from realtime.credentials import Authenticator, Credentials, authenticator

TICKET_SECONDS = 30


class TicketAuthenticator:
    """`?ticket=`: stands for the proof of another kind, which may hold no longer."""

    subprotocol = None

    def find(self, scope: dict) -> str | None:
        return parse_qs(scope["query_string"].decode("latin-1")).get("ticket", [None])[0]

    def read(self, ticket: str) -> Credentials | None:
        found = redeem(ticket)
        if found is None:
            return None
        kind, proof = found
        return authenticator(kind).read(proof)


def issue(kind: type[Authenticator], proof: str) -> str:
    """Make a ticket that stands for a proof of some kind.

    Raises ConnectionError when the cache cannot be reached.
    """
    ticket = secrets.token_urlsafe(32)
    try:
        cache.set(_key(ticket), (f"{kind.__module__}.{kind.__qualname__}", proof), TICKET_SECONDS)
    except Exception as error:  # each cache has its own
        raise ConnectionError(f"the cache does not take a ticket: {error!r}") from error
    return ticket


def redeem(ticket: str) -> tuple[str, str] | None:
    """The kind of the proof that a ticket stands for, and the proof; None if it is unknown, used or too old.

    Raises ConnectionError when the cache cannot be reached.
    """
    key = _key(ticket)
    try:
        proof = cache.get(key)
        return proof if proof and cache.delete(key) else None  # of two at once, one deletes it
    except Exception as error:
        raise ConnectionError(f"the cache does not give a ticket out: {error!r}") from error


def _key(ticket: str) -> str:
    """What a client sends is no key for every cache; nor can who reads a cache use the tickets in it."""
    return f"ws-ticket:{sha256(ticket.encode()).hexdigest()}"
