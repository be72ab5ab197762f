"""Django's handler of ASGI requests, with a cheaper way to notice that a client has left.

Django's own listens for that beside each request from its start, and then cancels the task that does. Django
6.1 also makes a class for each request, raises it and catches it in a group, which takes longer than all
middleware. Here a client is listened to once its answer takes long.
"""

import asyncio
from contextlib import closing, contextmanager
from functools import partial

from asgiref.sync import sync_to_async
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_finished, request_started
from django.urls import set_script_prefix

from serving.request_threads import uses_thread

LONG = 0.05  # seconds, less than PATIENCE in event_streams.py; what takes less is done even if nobody waits
OWN_RECEIVERS = 3  # of `request_finished`, by Django: they close connections and caches, reset the URLconf


class Handler(ASGIHandler):
    async def handle(self, scope, receive, send):
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with closing(body):
            set_script_prefix(get_script_prefix(scope))
            await request_started.asend(sender=type(self), scope=scope)
            request, response = self.create_request(scope, body)
            with cancelled_if_left(partial(self.listen_for_disconnect, receive)):
                if request is not None:  # else the response says what is wrong with it
                    response = await self.run_get_response(request)
                await self.send_response(response, send)
            await finish(response)


@contextmanager
def cancelled_if_left(listen_for_disconnect):
    """End the block, without an error, when the client leaves, which is looked for from `LONG` seconds on."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    listener = why = None

    async def listen():
        nonlocal why
        try:
            await listen_for_disconnect()
        except Exception as error:  # `RequestAborted`, unless the server fails
            why = error
            task.cancel()

    def begin():
        nonlocal listener
        listener = loop.create_task(listen())

    timer = loop.call_later(LONG, begin)
    try:
        yield
    except asyncio.CancelledError:
        if why is None or task.cancelling() > 1:  # by somebody else, too
            raise
        if not isinstance(why, RequestAborted):
            raise why from None
    finally:
        timer.cancel()
        if listener is not None:
            listener.cancel()
        if why is not None:
            task.uncancel()


async def finish(response):
    """Close a response, or say that a request has ended without one.

    That is done here if the request has used no thread, since then it has no connection to the database.
    Whoever listens to `request_finished`, beside Django itself, is called in a thread as ever.
    """
    end = partial(request_finished.send, sender=Handler) if response is None else response.close
    if uses_thread() or len(request_finished.receivers) > OWN_RECEIVERS:
        await sync_to_async(end)()
    else:
        end()
