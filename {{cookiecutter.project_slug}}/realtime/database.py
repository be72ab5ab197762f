"""Database work of sockets, off the one thread on which Channels would queue it."""

#% if cookiecutter.database == "postgresql"
import atexit
#% endif
from concurrent.futures import ThreadPoolExecutor

from channels.db import DatabaseSyncToAsync
from django.conf import settings
#% if cookiecutter.database == "postgresql"
from django.db import connections
#% endif
#%%
THREADS = ThreadPoolExecutor(settings.REALTIME["DATABASE_THREADS"], thread_name_prefix="database")


def in_database(function):
    """Make a function that uses the ORM awaitable; it runs in one of `REALTIME["DATABASE_THREADS"]` threads.

    `channels.db.database_sync_to_async` runs the queries of all sockets of a process on a single thread, so
    that one slow query holds up every socket (django/channels#2132). Works on functions and methods.
    """
    return DatabaseSyncToAsync(function, thread_sensitive=False, executor=THREADS)
#% if cookiecutter.database == "postgresql"
#%%

@atexit.register
def close_pools() -> None:
    """Close the connection pools while their threads still run; later Psycopg would wait for them in vain."""
    for connection in connections.all():
        connection.close_pool()
#% endif
