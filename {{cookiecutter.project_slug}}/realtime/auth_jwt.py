"""A JSON Web Token as proof."""

from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication

from realtime.credentials import Credentials
from realtime.database import in_database

_authentication = JWTAuthentication()


def read_token(token: str) -> Credentials | None:
    """The user of an access token and when it ends; None if it is invalid, ended or revoked."""
    try:
        claims = _authentication.get_validated_token(token.encode())
        return Credentials(_authentication.get_user(claims), claims["exp"], renewable=True)
    except AuthenticationFailed:
        return None


aread_token = in_database(read_token)


def bearer_token(scope) -> str | None:
    """The token that stands behind `bearer` in Sec-WebSocket-Protocol, or in an Authorization header.

    A browser can set only the former, and a server must answer with one of the protocols it was offered:
    the consumer answers `bearer`, so the token is not echoed.
    """
    offered = scope["subprotocols"]
    if "bearer" in offered:
        return next((name for name in offered if name != "bearer"), "")
    scheme, _, token = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1").partition(" ")
    return token if scheme.lower() == "bearer" else None
