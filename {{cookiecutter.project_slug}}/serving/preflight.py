"""What is found out before the server starts, said in a line; also by `python -m serving.preflight`."""

import logging
import socket
import sys
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import connection

logger = logging.getLogger("serving")
CACHE = "{{ 'The cache' if cookiecutter.channel_layer == 'memory' else 'REDIS_URL' }}"


def preflight() -> None:
    if settings.UNIX_SOCKET:
        check_socket(settings.UNIX_SOCKET)
    else:
        check_address(settings.PORT, "PORT")
    look_for_services()


def check_address(port: int, name: str) -> None:
    """End the process with one line if HOST and this port are taken or not to be had.

    Servers say so in a traceback, share the port with whoever has it, or wait in their reloader for ever.
    """
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    try:
        socket.create_server((settings.HOST, port), family=family).close()
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]
        sys.exit(f"Cannot listen on {settings.HOST}:{port}: {reason}. Set HOST or {name}.")


def check_socket(path: Path) -> None:
    """End the process with one line if somebody serves at this path; remove what a killed server has left."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)  # for a server that hangs
        try:
            client.connect(str(path))
            reason = "Address already in use"
        except ConnectionRefusedError:  # so it is with a file, too
            if path.is_socket():
                path.unlink()
                return
            reason = "There is something else"
        except FileNotFoundError:
            if path.parent.is_dir():
                return
            reason = "No such folder"
        except OSError as error:
            reason = str(error.strerror or error)
    sys.exit(f"Cannot listen on {path}: {reason}. Set UNIX_SOCKET.")


def look_for_services() -> bool:
    """Look for the database and the cache, and say whether both are there."""
    return look_for_database() & look_for_cache()


def look_for_database() -> bool:
    """Say what keeps us from the database. The server starts all the same: it may be there in a moment."""
    own = connection.copy()
    own.settings_dict["OPTIONS"].pop("pool", None)  # which waits longer, and does not say what for
    try:
        own.ensure_connection()
        own.close()
    except Exception as error:
        logger.error("DATABASE_URL leads to no database yet: %s", " ".join(str(error).split()))
        return False
    return True


def look_for_cache() -> bool:
    """Say what keeps us from the cache. The server starts all the same: it may be there in a moment."""
    try:
        cache.get("preflight")
    except Exception as error:  # options in its address that do not fit raise more than its own errors
        logger.error("%s does not work yet: %s", CACHE, error)
        return False
    return True


if __name__ == "__main__":
    sys.exit(not look_for_services())
