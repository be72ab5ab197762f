"""Links that invite to a room: whoever has one, and an account, may become a member."""

from datetime import timedelta

from django.core import signing

LIFETIME = timedelta(days=7)
SALT = "rooms.invitation"


def sign(room) -> str:
    """Return what a link carries; it holds for `LIFETIME`, or until the host withdraws it."""
    return signing.dumps([room.pk, room.invitation], salt=SALT)


def holds(signed: str, room) -> bool:
    """Whether this is an invitation to a room that still holds."""
    try:
        return signing.loads(signed, salt=SALT, max_age=LIFETIME) == [room.pk, room.invitation]
    except signing.BadSignature:
        return False
