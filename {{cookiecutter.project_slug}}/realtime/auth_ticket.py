"""Tickets: a single use and thirty seconds, for clients that can send neither cookie nor subprotocol."""

import secrets
from hashlib import sha256

from realtime.cache import cache
from realtime.credentials import Authenticator, Credentials, authenticator, in_query

TICKET_SECONDS = 30


class TicketAuthenticator:
    """`?ticket=`: stands for the proof of another kind, which may hold no longer."""

    subprotocol = None
    scheme = {
        "type": "httpApiKey",
        "in": "query",
        "name": "ticket",
        "description": f"From `POST /api/ws-ticket/`. It opens one socket within {TICKET_SECONDS} seconds, "
        "as the user who asked for it, and the socket ends when that login does.",
    }

    def find(self, scope: dict) -> str | None:
        return in_query(scope, "ticket")

    def read(self, ticket: str) -> Credentials | None:
        redeemed = redeem(ticket)
        if redeemed is None:
            return None
        kind, proof = redeemed
        found = authenticator(kind).read(proof)
        return found if found and found.user.is_authenticated else None  # that login is over


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
    """What a client sends is no key for every cache."""
    return f"ws-ticket:{sha256(ticket.encode()).hexdigest()}"
