"""A JSON Web Token as proof."""

from copy import copy
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, Token

from realtime.credentials import Credentials, in_query
from realtime.database import in_database


class TokenAuthenticator:
    """`Sec-WebSocket-Protocol: bearer, <token>`, an Authorization header, or, if so set, `?token=`.

    A browser can set only the first, and a server must answer with one of the protocols that it was offered:
    with `bearer`, so the token is not echoed.
    """

    subprotocol = "bearer"
    scheme = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token: as `Sec-WebSocket-Protocol: bearer, <token>`, which the server "
        "answers with `bearer`, or as `Authorization: Bearer <token>`, which browsers cannot send.",
    }

    def find(self, scope: dict) -> str | None:
        offered = scope["subprotocols"]
        if "bearer" in offered:
            return next((name for name in offered if name != "bearer"), "")
        header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "bearer":
            return token
        return in_query(scope, "token") if settings.REALTIME["TOKEN_IN_QUERY"] else None

    def read(self, token: str) -> Credentials | None:
        """The user of an access token and when it ends; None if it is invalid, ended or revoked."""
        return self.read_many([token])[0]

    def read_many(self, tokens: list[str]) -> list[Credentials | None]:
        """As `read` for each, with one query for all users; see also `valid_tokens`."""
        claims = valid_tokens(tokens)
        users = UsersOf([each for each in claims if each])
        return [self._credentials(each, users) if each else None for each in claims]

    def _credentials(self, claims: Token, users: Any) -> Credentials | None:
        try:
            return Credentials(users.get_user(claims), claims["exp"], renew=self.aread)
        except AuthenticationFailed:
            return None

    aread = in_database(read)

    def log_in(self, user) -> dict[str, str]:
        """Return the headers with which a client opens a socket as a user."""
        return {"Authorization": f"Bearer {AccessToken.for_user(user)}"}


class UsersOf(JWTAuthentication):
    """What simplejwt asks of users, upon those of some tokens, which are read in one query."""

    def __init__(self, tokens: list[Token]):
        super().__init__()
        field, claim = api_settings.USER_ID_FIELD, api_settings.USER_ID_CLAIM
        model = get_user_model()
        users = model.objects.filter(**{f"{field}__in": {each[claim] for each in tokens if claim in each}})
        self.users = {str(getattr(user, field)): user for user in users}
        self.user_model: Any = SimpleNamespace(objects=self, DoesNotExist=model.DoesNotExist)

    def get(self, **by: Any):
        (key,) = by.values()
        if str(key) not in self.users:
            raise self.user_model.DoesNotExist
        return copy(self.users[str(key)])


def valid_tokens(tokens: list[str]) -> list[Token | None]:
    """The tokens that hold, and None for each other; a class with `verify_many` takes them all at once."""
    kind, *others = api_settings.AUTH_TOKEN_CLASSES
    if not others and hasattr(kind, "verify_many"):
        return kind.verify_many(tokens)
    return [valid_token(token) for token in tokens]


def valid_token(token: str) -> Token | None:
    try:
        return JWTAuthentication().get_validated_token(token.encode())
    except AuthenticationFailed:
        return None
