"""Threads for what is not async in a request; they stay for the next one, with their database connection.

Django starts a thread for each request, and ends it with the request. Connections belong to threads, so it
would open one for each request, too. And each request waits for its thread at its start and at its end, to
close old connections there, even if it never uses it. WSGI is not touched.
"""

from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.conf import settings
from django.core.signals import request_started
from django.db import close_old_connections, connections, reset_queries

IDLE = 20  # threads that may wait for a request


class RequestThread(ThreadPoolExecutor):
    """A single thread, and what it has to do."""

    def __init__(self):
        super().__init__(max_workers=1, thread_name_prefix="request")
        self.unfinished = set()
        self.is_used = False  # by the request that has it

    def submit(self, *call, **arguments):
        if not self.is_used:
            self.is_used = True
            super().submit(close_old_connections)  # as Django does when a request begins
        future = super().submit(*call, **arguments)
        self.unfinished.add(future)
        future.add_done_callback(self.unfinished.discard)
        return future


class RequestThreads:
    """Around Django's application: lends each request a thread of its own, until its response has ended.

    However many requests there are, none waits for the thread of another.
    """

    def __init__(self, application):
        self.application = application
        self.idle = []

    async def __call__(self, scope, receive, send):
        try:
            thread = self.idle.pop()
        except IndexError:
            thread = RequestThread()
        async with ThreadSensitiveContext() as context:
            # Its argument `executor` would let no task of a view query the database after the response.
            SyncToAsync.context_to_thread_executor[context] = thread
            try:
                await self.application(scope, receive, send)
            except BaseException:
                end(thread)
                raise
            finally:
                del SyncToAsync.context_to_thread_executor[context]
        if thread.unfinished or len(self.idle) >= IDLE:
            end(thread)
        else:
            thread.is_used = False
            self.idle.append(thread)


def end(thread: RequestThread) -> None:
    """Close the connections of a thread when it has done what it has to do, and then end it."""
    thread.submit(connections.close_all)
    thread.shutdown(wait=False)


def uses_thread() -> bool:
    """Whether the request that this is called for has used its thread."""
    thread = SyncToAsync.context_to_thread_executor.get(SyncToAsync.thread_sensitive_context.get())
    return getattr(thread, "is_used", True)  # one of Django's own is used


request_started.disconnect(close_old_connections)  # a `RequestThread` does that when it is used
if not settings.DEBUG:
    request_started.disconnect(reset_queries)  # there are none
