"""What is found out before the server starts, and said in a line."""

#% if cookiecutter.channel_layer != "memory" or cookiecutter.database == "postgresql"
import logging
#% endif
import socket
import sys

#% if cookiecutter.database == "postgresql"
import psycopg
#% endif
from django.conf import settings
#% if cookiecutter.database == "postgresql"
from django.db import connection
#% endif
#% if cookiecutter.channel_layer != "memory"
from redis import Redis
#% endif
#% if cookiecutter.channel_layer != "memory" or cookiecutter.database == "postgresql"
#%%
logger = logging.getLogger("config")

TIMEOUT = 3  # seconds to wait for a service
#% endif
#%%

def preflight() -> None:
    check_address()
#% if cookiecutter.database == "postgresql"
    look_for_database()
#% endif
#% if cookiecutter.channel_layer != "memory"
    look_for_redis()
#% endif
#%%

def check_address() -> None:
    """End the process with one line if HOST and PORT are taken or not to be had.

    Servers say so in a traceback, share the port with whoever has it, or wait in their reloader for ever.
    """
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    try:
        socket.create_server((settings.HOST, settings.PORT), family=family).close()
    except OSError as error:
        reason = error.strerror.partition(" (")[0]
        sys.exit(f"Cannot listen on {settings.HOST}:{settings.PORT}: {reason}. Set HOST or PORT.")
#% if cookiecutter.database == "postgresql"
#%%

def look_for_database() -> None:
    """Say what keeps us from the database. The server starts all the same: it may be there in a moment."""
    try:
        psycopg.connect(**connection.get_connection_params(), connect_timeout=TIMEOUT).close()
    except psycopg.OperationalError as error:
        logger.error("DATABASE_URL leads to no database yet: %s", " ".join(str(error).split()))
#% endif
#% if cookiecutter.channel_layer != "memory"
#%%

def look_for_redis() -> None:
    """Say what keeps us from Redis. The server starts all the same: it may be there in a moment."""
    try:
        timeouts = {"socket_connect_timeout": TIMEOUT, "socket_timeout": TIMEOUT}
        with Redis.from_url(settings.REDIS_URL, **timeouts) as redis:
            redis.ping()
    except Exception as error:  # options in the URL that do not fit raise more than Redis' own errors
        logger.error("REDIS_URL leads to no Redis yet: %s", error)
#% endif
