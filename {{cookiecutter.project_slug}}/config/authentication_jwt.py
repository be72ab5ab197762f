"""How people and programs prove who they are."""

from datetime import timedelta

from marshmallow.validate import Range

from config.environment import env, origins, read

__all__ = ["CORS_ALLOWED_ORIGINS", "CORS_URLS_REGEX", "SIMPLE_JWT"]  # the rest are parts of settings

CORS_ALLOWED_ORIGINS = read(
    env.list,
    "CORS_ALLOWED_ORIGINS",
    "other sites that may use the API, without *, for example CORS_ALLOWED_ORIGINS=https://app.example.com",
    default=[],
    validate=lambda sites: origins(sites, host="[^/*]+"),
)
CORS_URLS_REGEX = "^/api/"
APPS = ["rest_framework_simplejwt.token_blacklist", "corsheaders"]
MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware"] if CORS_ALLOWED_ORIGINS else []
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
