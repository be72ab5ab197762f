"""What stands behind an open socket."""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.backends.base import SessionBase


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user, when the proof of who it is ends (seconds since 1970), and whether a token may renew it."""

    user: AbstractUser
    expires: float | None = None
    renewable: bool = False


def session_ends(session: SessionBase) -> float:
    """When a session ends, in seconds since 1970.

    Its own `get_expiry_date()` counts from now; in a database, the row knows when it was last saved.
    """
    if hasattr(session, "model"):
        row = session.model.objects.filter(pk=session.session_key).values_list("expire_date", flat=True)
        if ends := row.first():
            return ends.timestamp()
    return session.get_expiry_date().timestamp()
