"""What stands behind an open socket, and what reads it from the proof that a client offers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol
from urllib.parse import parse_qs

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.db import InterfaceError, OperationalError
from django.utils.module_loading import import_string

AWAY = (OSError, OperationalError, InterfaceError)  # what others would meet, too


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user, and when the proof of who it is ends (seconds since 1970; None: with nothing but the user).

    The user is an `AnonymousUser` where nobody is logged in. `renew` takes a token that a client sends in
    `auth.refresh`, and returns the credentials that it stands for, or None if it is not valid; without it the
    client has to connect anew. `session` is the one that was the proof, read from where it is kept.
    """

    user: AbstractUser | AnonymousUser
    expires: float | None = None
    renew: "Callable[[str], Awaitable[Credentials | None]] | None" = None
    session: SessionBase | None = None


class Authenticator(Protocol):
    """One kind of proof; `REALTIME["AUTHENTICATION"]` names those that count, the first offered one first.

    The last one is what tests and `test_websocket` log in with, and has `log_in()` for that. One that
    reads many proofs with fewer queries has `read_many(proofs)`, too; see `read_each`.
    """

    subprotocol: str | None  # with which a client offers such proof, and is answered
    scheme: dict[str, str]  # the same for people and programs, as a security scheme of AsyncAPI

    def find(self, scope: dict) -> str | None:
        """The proof that a handshake offers; None if it offers none of this kind. Runs on the event loop."""

    def read(self, proof: str) -> Credentials | None:
        """What the proof stands for; None if it is not, or no longer, valid. Runs in a database thread."""


def read_each(kind: Authenticator, proofs: list[str]) -> list[Credentials | Exception | None]:
    """What each proof stands for, or the error that it makes, so that a bad one is nobody else's trouble.

    Raises what is no proof's fault: that the database, or the cache, is away.
    """
    if len(proofs) > 1:
        try:
            return kind.read_many(proofs)  # type: ignore[attr-defined]
        except AWAY:
            raise
        except Exception:  # it has none, or there is a proof among these that it cannot read
            return [read_each(kind, [proof])[0] for proof in proofs]
    try:
        return [kind.read(proof) for proof in proofs]
    except AWAY:
        raise
    except Exception as error:
        return [error]


def in_query(scope: dict, name: str) -> str | None:
    """What stands in the address as `?name=`, be it empty; None if it does not."""
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return query.get(name, [None])[0]


@cache
def authenticator(path: str) -> Authenticator:
    """The authenticator with a dotted path."""
    return import_string(path)()
