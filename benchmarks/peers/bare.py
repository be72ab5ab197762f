"""The least that an ASGI application can do: sets of sockets, a loop over `await send`, and an echo."""

import json
from collections import defaultdict

from .measured import asked_group, measured

groups = defaultdict(set)  # by number; without one, all are in None


async def app(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    sockets = groups[asked_group(scope)]
    sockets.add(send)
    try:
        while (message := await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": message["text"]})
    finally:
        sockets.discard(send)


async def publish(text):
    message = {"type": "websocket.send", "text": text}
    for send in list(groups[json.loads(text).get("group")]):
        await send(message)


application = measured(app, publish)
