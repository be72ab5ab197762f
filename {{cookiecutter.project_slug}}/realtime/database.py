"""Database work of sockets, off the one thread on which Channels would queue it."""

import atexit
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import SyncToAsync
from django.conf import settings
from django.db import connections

THREADS = ThreadPoolExecutor(settings.REALTIME["DATABASE_THREADS"], thread_name_prefix="database")


class DatabaseThreads(SyncToAsync):
    """As `channels.db.DatabaseSyncToAsync`, but a connection to a file stays open for the next call."""

    def thread_handler(self, *args, **kwargs):
        try:
            return super().thread_handler(*args, **kwargs)
        finally:
            close_connections()


def in_database(function):
    """Make a function that uses the ORM awaitable; it runs in one of `REALTIME["DATABASE_THREADS"]` threads.

    `channels.db.database_sync_to_async` runs the queries of all sockets of a process on a single thread, so
    that one slow query holds up every socket (django/channels#2132). Works on functions and methods.
    """
    return DatabaseThreads(function, thread_sensitive=False, executor=THREADS)


def close_connections() -> None:
    """Close this thread's connections, or give them back to their pool; those to a file stay while they work.

    To open such a one takes longer than most queries do, and no server could close it meanwhile.
    """
    for connection in connections.all(initialized_only=True):
        works = connection.autocommit and not connection.errors_occurred
        if not works or hasattr(connection, "close_pool"):  # as it has where there is a server
            connection.close_if_unusable_or_obsolete()


@atexit.register
def close_pools() -> None:
    """Close connection pools while their threads still run; later the driver would wait for them in vain."""
    for connection in connections.all():
        if hasattr(connection, "close_pool"):
            connection.close_pool()
