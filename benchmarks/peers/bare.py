"""The least that an ASGI application can do: a set of sockets, and a loop over `await send`."""

from .measured import measured

sockets = set()


async def app(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    sockets.add(send)
    try:
        while (await receive())["type"] != "websocket.disconnect":
            pass
    finally:
        sockets.discard(send)


async def publish(text):
    message = {"type": "websocket.send", "text": text}
    for send in list(sockets):
        await send(message)


application = measured(app, publish)
