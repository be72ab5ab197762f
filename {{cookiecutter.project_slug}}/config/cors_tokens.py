"""Other sites whose pages may use the API and open sockets, with tokens; cookies do not count there."""

from config.environment import env, origins, read

CORS_ALLOWED_ORIGINS = read(
    env.list,
    "CORS_ALLOWED_ORIGINS",
    "other sites that may use the API, without *, for example CORS_ALLOWED_ORIGINS=https://app.example.com",
    default=[],
    validate=lambda sites: origins(sites, host="[^/*]+"),
)
CORS_URLS_REGEX = "^/api/"
