"""What a user's open sockets rest on: fields of the user, a change of which ends them."""

from django.conf import settings
from django.contrib.auth import get_user_model

from realtime.database import in_database

FIELDS = settings.REALTIME["LOGIN_FIELDS"]

Login = tuple | None  # the fields' values; None: there is no such user


def login_of(user) -> Login:
    return tuple(getattr(user, field) for field in FIELDS)


@in_database
def logins_of(user_ids: list[int]) -> dict[int, Login]:
    """The present logins of users, in one query."""
    rows = get_user_model().objects.filter(pk__in=user_ids).values_list("pk", *FIELDS)
    return dict.fromkeys(user_ids) | {pk: tuple(fields) for pk, *fields in rows}
