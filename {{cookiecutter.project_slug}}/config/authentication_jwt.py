"""How people and programs prove who they are."""

from datetime import timedelta

from marshmallow.validate import Range

from config.cors import CORS_ALLOWED_ORIGINS
from config.environment import env, read

__all__ = ["SIMPLE_JWT"]  # the rest are parts of settings

APPS = ["rest_framework_simplejwt.token_blacklist"]
API = [
    "rest_framework_simplejwt.authentication.JWTAuthentication",
#% if cookiecutter.auth == "session_jwt"
    "rest_framework.authentication.SessionAuthentication",
#% endif
]
SOCKETS = {
    # What a client may prove with who it is; the first that it offers counts.
    "AUTHENTICATION": (
        "realtime.auth_ticket.TicketAuthenticator",
        "realtime.auth_jwt.TokenAuthenticator",
#% if cookiecutter.auth == "session_jwt"
        "realtime.auth_session.SessionAuthenticator",
#% endif
    ),
    "TICKET_VIEW": "realtime.views_jwt.ticket",
    "TOKEN_IN_QUERY": read(
        env.bool, "WS_TOKEN_IN_QUERY", "true or false, for example WS_TOKEN_IN_QUERY=false", default=False
    ),
    "TOKEN_ORIGINS": CORS_ALLOWED_ORIGINS,  # whose pages may open sockets, too, but not with a cookie
}

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(
        minutes=read(
            env.int,
            "JWT_ACCESS_MINUTES",
            "a number of minutes that an access token lasts, for example JWT_ACCESS_MINUTES=15",
            default=15,
            validate=Range(1),
        )
    ),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "CHECK_REVOKE_TOKEN": True,  # a changed password ends all tokens
    # Logging out ends those of the login.
    "AUTH_TOKEN_CLASSES": ("accounts.tokens.AccessToken",),
    "TOKEN_OBTAIN_SERIALIZER": "accounts.tokens.LoginSerializer",
    "TOKEN_REFRESH_SERIALIZER": "accounts.tokens.RefreshSerializer",
    "TOKEN_BLACKLIST_SERIALIZER": "accounts.tokens.LogoutSerializer",
}
