"""Tickets: a single use and thirty seconds, for clients that can send neither cookie nor subprotocol."""

import secrets
from hashlib import sha256

from realtime.cache import cache
from realtime.credentials import Authenticator, Credentials, authenticator, in_query, read_each

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
        (found,) = self.read_many([ticket])
        if isinstance(found, Exception):
            raise found
        return found

    def read_many(self, tickets: list[str]) -> list[Credentials | Exception | None]:
        """As `read` for each; the proofs of each kind are read together."""
        found: list[Credentials | Exception | None] = [None] * len(tickets)
        proofs: dict[str, dict[int, str]] = {}  # by their kind, and the place of the ticket
        for place, redeemed in enumerate(redeem(tickets)):
            if redeemed is not None:
                kind, proof = redeemed
                proofs.setdefault(kind, {})[place] = proof
        for kind, places in proofs.items():
            for place, each in zip(places, read_each(authenticator(kind), [*places.values()]), strict=True):
                over = isinstance(each, Credentials) and not each.user.is_authenticated  # that login
                found[place] = None if over else each
        return found


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


def redeem(tickets: list[str]) -> list[tuple[str, str] | None]:
    """The kind of proof that each ticket stands for, and the proof; None if it is unknown, used or too old.

    Raises ConnectionError when the cache cannot be reached.
    """
    keys = [_key(ticket) for ticket in tickets]
    try:
        proofs = cache.get_many(keys)
        # Of two who come with the same one, only one deletes it.
        return [proofs[key] if key in proofs and cache.delete(key) else None for key in keys]
    except Exception as error:
        raise ConnectionError(f"the cache does not give a ticket out: {error!r}") from error


def _key(ticket: str) -> str:
    """What a client sends is no key for every cache."""
    return f"ws-ticket:{sha256(ticket.encode()).hexdigest()}"
