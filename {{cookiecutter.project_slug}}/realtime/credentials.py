"""What stands behind an open socket."""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user, when the proof of who it is ends (seconds since 1970), and whether a token may renew it."""

    user: AbstractUser
    expires: float | None = None
    renewable: bool = False
