"""Database work of sockets, off the one thread on which Channels would queue it."""

import atexit
from concurrent.futures import ThreadPoolExecutor

from channels.db import DatabaseSyncToAsync
from django.conf import settings
from django.db import connections

THREADS = ThreadPoolExecutor(settings.REALTIME["DATABASE_THREADS"], thread_name_prefix="database")


def in_database(function):
    """Make a function that uses the ORM awaitable; it runs in one of `REALTIME["DATABASE_THREADS"]` threads.

    `channels.db.database_sync_to_async` runs the queries of all sockets of a process on a single thread, so
    that one slow query holds up every socket (django/channels#2132). Works on functions and methods.
    """
    return DatabaseSyncToAsync(function, thread_sensitive=False, executor=THREADS)


@atexit.register
def close_pools() -> None:
    """Close connection pools while their threads still run; later the driver would wait for them in vain."""
    for connection in connections.all():
        if hasattr(connection, "close_pool"):
            connection.close_pool()
