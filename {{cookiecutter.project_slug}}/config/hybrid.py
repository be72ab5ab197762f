"""How HTTP is served by WSGI, in threads, beside the server that speaks ASGI."""

from marshmallow.validate import Range

from config.environment import env, read

WSGI_PORT = read(
    env.int,
    "WSGI_PORT",
    "a whole number from 1 to 65535, for example WSGI_PORT=9000",
    default=9000,
    validate=Range(1, 65535),
)
WSGI_WORKERS = read(
    env.int,
    "WSGI_WORKERS",
    "a number of processes, for example WSGI_WORKERS=4",
    default=4,
    validate=Range(1),
)
WSGI_THREADS = read(
    env.int,
    "WSGI_THREADS",
    "a number of threads that each process has, for example WSGI_THREADS=8",
    default=8,
    validate=Range(1),
)
