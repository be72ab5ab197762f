"""What is found out before the server starts, said in a line; also by `python -m serving.preflight`."""

import logging
import os
import socket
import sys

#% if cookiecutter.database == "postgresql"
import psycopg
#% endif
from django.conf import settings
from django.db import connection
#% if cookiecutter.channel_layer != "memory"
from redis import Redis
#% endif
#%%
logger = logging.getLogger("config")
#% if cookiecutter.channel_layer != "memory" or cookiecutter.database == "postgresql"
#%%
TIMEOUT = 3  # seconds to wait for a service
#% endif
#%%

def preflight() -> None:
    check_address()
    look_for_database()
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


def look_for_database() -> bool:
    """Say what keeps us from the database. The server starts all the same: it may be there in a moment."""
    try:
#% if cookiecutter.database == "postgresql"
        psycopg.connect(**connection.get_connection_params() | {"connect_timeout": TIMEOUT}).close()
#% else
        connection.ensure_connection()
        connection.close()
#% endif
    except Exception as error:
        logger.error("DATABASE_URL leads to no database yet: %s", " ".join(str(error).split()))
        return False
    return True
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
#%%

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    sys.exit(not look_for_database())
