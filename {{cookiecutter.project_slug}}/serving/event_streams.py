"""Server-sent events end with a client that does not read; the view would wait for it for ever."""

import asyncio
import logging

PATIENCE = 20  # seconds for a client to take the next event

logger = logging.getLogger("serving")


class EndUnreadStreams:
    """Around Django's application: tells it that a client has left which does not read a stream of events."""

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        is_stream = is_unread = False
        listening = None  # the task that waits for the client to leave

        async def receive_or_end():
            nonlocal listening
            listening = asyncio.current_task()
            try:
                return await receive()
            except asyncio.CancelledError:
                if not is_unread or listening.uncancel():
                    raise
                return {"type": "http.disconnect"}

        async def send_in_time(message):
            nonlocal is_stream, is_unread
            if message["type"] == "http.response.start":
                kind = dict(message["headers"]).get(b"Content-Type", b"")
                is_stream = kind.startswith(b"text/event-stream")
            if not is_stream:
                return await send(message)
            try:
                async with asyncio.timeout(PATIENCE):
                    await send(message)
            except TimeoutError:
                logger.warning("a client does not read the events of %s; its stream ends", scope["path"])
                is_unread = True
                listening.cancel()
                await asyncio.Future()  # the handler cancels this

        await self.application(scope, receive_or_end, send_in_time)
