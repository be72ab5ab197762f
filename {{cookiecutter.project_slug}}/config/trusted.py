"""Other sites whose pages may use this one as its own may."""

from config.environment import env, origins, read

CSRF_TRUSTED_ORIGINS = read(
    env.list,
    "CSRF_TRUSTED_ORIGINS",
    "other sites whose pages may post and open sockets here, for example CSRF_TRUSTED_ORIGINS=https://app.example.com",
    default=[],
    validate=origins,
)
