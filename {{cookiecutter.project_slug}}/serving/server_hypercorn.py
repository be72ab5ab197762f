"""Serve the project with Hypercorn: `python -m serving.server`, or with `--reload` while developing."""

import asyncio
import logging
import signal
from contextlib import suppress
from functools import lru_cache, partial

import hypercorn.asyncio
import uvloop
from django.conf import settings
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config
from hypercorn.protocol import ws_stream
from hypercorn.protocol.events import StreamClosed
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WSStream
from wsproto.events import CloseConnection, Message, Ping, Pong
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import FrameProtocol

from serving.cutting import cut
from serving.hub import start_hub
from serving.starting import start_server
from serving.stopping import drain_sockets
from serving.timeouts import CLOSE_TIMEOUT, GRACE
from serving.websocket_limits import PING_SECONDS, FrameCount

logger = logging.getLogger("serving")


def transport(stream):
    """Return the transport below a WebSocket."""
    return stream.send.__self__.send.__self__.writer.transport


class Connection(ws_stream.Connection):
    """Knows whether a client is silent, and whether it sends too many pings, pongs or fragments."""

    def __init__(self, *args):
        super().__init__(*args)
        self.frames, self.flooded, self.silent = FrameCount(), False, False

    def events(self):
        for event in super().events():
            self.silent = False
            yield event
            if isinstance(event, Ping | Pong) or (isinstance(event, Message) and not event.message_finished):
                self.flooded = self.flooded or self.frames.too_many()
                if self.flooded:
                    return


handle_events, send_event = WSStream._handle_events, WSStream._send_wsproto_event


async def handle_or_cut(stream):
    """Cut what is flooded, and after code 1009, too; Hypercorn would go on to store what it refused."""
    await handle_events(stream)
    if stream.connection.flooded:
        logger.warning("cut a socket of %s, which sends too many pings or fragments", stream.client)
        cut(transport(stream))
    elif stream.buffer.length > stream.buffer.max_length:
        await stream.send(StreamClosed(stream_id=stream.stream_id))


async def send_or_cut(stream, event):
    """Cut a socket whose client neither reads nor answers its close."""
    if isinstance(event, CloseConnection):
        asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, cut, transport(stream))
    await send_event(stream, event)


@lru_cache(maxsize=16)  # of what is under way just now
def framed(texts: tuple[str, ...]) -> bytes:
    """Make the frames that many sockets share."""
    protocol = FrameProtocol(client=False, extensions=[])
    return b"".join(protocol.send_data(text) for text in texts)


def send_at_once(stream, texts):  # see realtime/outbox.py
    if stream.state is not ASGIWebsocketState.CONNECTED or stream.handshake.http_version != "1.1":
        return False  # HTTP/2 has frames of its own around these
    out = transport(stream)
    if out.get_write_buffer_size() or out.is_closing():
        return False
    out.write(framed(texts))
    return True


async def ping(stream):
    """Ping the client now and again; Hypercorn's own holds a closed connection until the next is due."""
    stream.connection.silent = True
    asyncio.get_running_loop().call_later(PING_SECONDS, ping_again, stream)
    await stream._send_wsproto_event(Ping())


def ping_again(stream):
    if stream.connection.silent:
        cut(transport(stream))
    elif not stream.closed:
        stream.pinging = asyncio.create_task(ping(stream))


async def close_when_idle(server):
    """Close an idle connection; when the server stops, not before a request that is under way is here."""
    with suppress(TimeoutError):
        await asyncio.wait_for(server.context.terminated.wait(), server.config.keep_alive_timeout)
        await asyncio.sleep(0.1)
    await asyncio.shield(server._initiate_server_close())


ws_stream.Connection = Connection  # type: ignore[misc]
WSStream._handle_events, WSStream._send_wsproto_event = handle_or_cut, send_or_cut
WSStream._send_pings = ping
WSStream.send_at_once = send_at_once  # type: ignore[attr-defined]
TCPServer._idle_timeout = close_when_idle
# Compression would more than double the memory of a socket. Hypercorn has no switch for it.
PerMessageDeflate.accept = lambda self, offer: None


def make_config():
    config = Config()
    config.bind = f"{settings.HOST}:{settings.PORT}"
    if settings.UNIX_SOCKET:
        config.bind, config.umask = f"unix:{settings.UNIX_SOCKET}", 0o111  # who gets there, the folder says
    config.backlog = 2048
    config.websocket_max_message_size = settings.REALTIME["MAX_MESSAGE_BYTES"]
    config.websocket_ping_interval = PING_SECONDS
    config.graceful_timeout = GRACE - 1
    config.include_server_header = False
    config.errorlog = logging.getLogger("hypercorn.error")  # config/logs.py has a log of requests
    return config


def make_application():
    from config.asgi import application

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            return  # Django has none
        if scope["type"] == "websocket":
            scope["extensions"]["realtime.abort"] = partial(cut, transport(send.__self__))
        await application(scope, receive, send)

    return app


async def run(signals):
    loop, main = asyncio.get_running_loop(), asyncio.current_task()
    stop = asyncio.Event()
    for number in signals:
        loop.add_signal_handler(number, stop.set)

    async def stopped():
        """Ask the WebSocket clients to come back before Hypercorn stops; it would wait until they leave."""
        await stop.wait()
        await drain_sockets()
        await asyncio.sleep(0.1)  # until the last handshakes have arrived, and are refused
        loop.call_later(GRACE, main.cancel)  # it would wait for one that does not read, too

    application = make_application()
    start_hub()
    await hypercorn.asyncio.serve(application, make_config(), shutdown_trigger=stopped)


def serve(signals=()):
    with suppress(asyncio.CancelledError):
        asyncio.run(run(signals), loop_factory=uvloop.new_event_loop)


def main():
    start_server(lambda: serve(signals=(signal.SIGTERM, signal.SIGINT)), serve_for_development=serve)


if __name__ == "__main__":
    main()
