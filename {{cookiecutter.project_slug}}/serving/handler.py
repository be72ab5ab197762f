"""Django's handler of ASGI requests, with another way to notice that a client has gone.

Django's own listens for that beside each request. To stop listening it raises an exception, whose class it
makes for the purpose, and catches it in a group. That takes more than all middleware, and leaves 200 objects
to the garbage collector. Here a client is listened to once its request takes long.
"""

import asyncio
from contextlib import closing, contextmanager

from asgiref.sync import SyncToAsync, sync_to_async
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_finished, request_started
from django.urls import set_script_prefix

LONG = 0.05  # seconds, for which nobody would notice much if the answer were made in vain
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
            try:
                with self.cancelled_if_left(receive):
                    if request is not None:  # else the response is the error
                        response = await self.run_get_response(request)
                    await self.send_response(response, send)
            finally:
                if response is None:
                    await request_finished.asend(sender=type(self))
                else:
                    await close(response)

    @contextmanager
    def cancelled_if_left(self, receive):
        """Cancel what this task does here, after a while, as soon as the client has gone; return then."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        listener = None
        has_left = False

        async def listen():
            nonlocal has_left
            try:
                await self.listen_for_disconnect(receive)
            except RequestAborted:
                has_left = True
                task.cancel()

        def begin():
            nonlocal listener
            listener = loop.create_task(listen())

        timer = loop.call_later(LONG, begin)
        try:
            yield
        except asyncio.CancelledError:
            if not has_left or task.uncancel():  # somebody else has cancelled it, too
                raise
        finally:
            timer.cancel()
            if listener is not None:
                listener.cancel()


async def close(response):
    """Close a response: here, if its request has used no thread, since it has no connection then.

    Whoever listens to `request_finished`, beside Django itself, is called in a thread as ever.
    """
    thread = SyncToAsync.context_to_thread_executor.get(SyncToAsync.thread_sensitive_context.get())
    if getattr(thread, "is_used", True) or len(request_finished.receivers) > OWN_RECEIVERS:
        await sync_to_async(response.close)()
    else:
        response.close()
