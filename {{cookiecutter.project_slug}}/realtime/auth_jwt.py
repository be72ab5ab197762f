"""A JSON Web Token as proof."""

from django.conf import settings
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import AccessToken

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

    def __init__(self):
        self.tokens = JWTAuthentication()

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
        try:
            claims = self.tokens.get_validated_token(token.encode())
            return Credentials(self.tokens.get_user(claims), claims["exp"], renew=self.aread)
        except AuthenticationFailed:
            return None

    aread = in_database(read)

    def log_in(self, user) -> dict[str, str]:
        """Return the headers with which a client opens a socket as a user."""
        return {"Authorization": f"Bearer {AccessToken.for_user(user)}"}
