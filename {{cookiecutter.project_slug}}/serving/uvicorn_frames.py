"""Uvicorn's protocols with limits for clients that mean harm, and with frames that many sockets share."""

import logging
from functools import lru_cache, partial
from inspect import signature

from serving.cutting import cut
from serving.timeouts import CLOSE_TIMEOUT, REQUEST_TIMEOUT
from serving.websocket_limits import SLICE, FrameCount

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
    from websockets.frames import Frame, Opcode
    from websockets.protocol import OPEN, Protocol
except ImportError:  # a version that is not known here; see `fits`
    HttpToolsProtocol = WebSocketsSansIOProtocol = Protocol = object  # type: ignore[assignment, misc]

logger = logging.getLogger("serving")


class Http(HttpToolsProtocol):
    """A connection is cut if the head of a request does not come in time."""

    _late = None

    def connection_made(self, transport):
        super().connection_made(transport)
        self._expect_head()

    def on_message_begin(self):
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self):
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc):
        self._stop_waiting()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self):
        super().handle_websocket_upgrade()
        self.parser = None  # which refers to this: both would wait for the garbage collector

    def _expect_head(self):
        self._late = self._late or self.loop.call_later(REQUEST_TIMEOUT, cut, self.transport)

    def _stop_waiting(self):
        if self._late is not None:
            self._late.cancel()
            self._late = None


@lru_cache(maxsize=16)  # of what is under way just now
def framed(texts: tuple[str, ...]) -> bytes:
    return b"".join(Frame(Opcode.TEXT, text.encode()).serialize(mask=False) for text in texts)


class SharedFrames(WebSocketsSansIOProtocol):
    """A frame for 5,000 sockets is built once, and sent to each by one call (see `realtime/outbox.py`)."""

    _cut = None

    def send_at_once(self, texts):
        transport = self.transport
        if self.conn.state is not OPEN or transport.get_write_buffer_size() or transport.is_closing():
            return False
        transport.write(framed(texts))
        return True

    async def send(self, message):
        if message["type"] == "websocket.close":
            self._cut_later()
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.request = self.response = None  # 3 KB of headers, which the scope has, too

    # Whoever does not read holds up a close for ever, but not a cut.

    def handle_connect(self, event):
        self._frames = FrameCount()
        super().handle_connect(event)
        if not self.handshake_complete:  # which here means that it has failed
            self.scope["extensions"]["realtime.abort"] = partial(cut, self.transport)

    async def run_asgi(self):
        try:
            await super().run_asgi()
        finally:
            self._cut_later()

    def keepalive_timeout(self):
        super().keepalive_timeout()
        self._cut_later()

    def connection_lost(self, exc):
        if self._cut is not None:
            self._cut.cancel()
        super().connection_lost(exc)
        self.conn.parser.close()  # a generator that refers to `conn`

    def _cut_later(self):
        if self._cut is None and not self.disconnected:
            self._cut = self.loop.call_later(CLOSE_TIMEOUT, cut, self.transport)

    # A client is read no faster than it reads what it is answered, and then in bites.

    def data_received(self, data):
        for start in range(0, len(data), SLICE):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + SLICE])
        if not self.writable.is_set() and not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self):
        super().resume_writing()
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def handle_ping(self):
        super().handle_ping()
        self._count()

    def handle_pong(self, event):
        super().handle_pong(event)
        self._count()

    def handle_cont(self, event):
        super().handle_cont(event)
        self._count()

    def _count(self):
        if self._frames.too_many() and not self.transport.is_closing():
            logger.warning("cut a socket of %s, which sends too many pings or fragments", self.client)
            cut(self.transport)


def fits(own, stock, *attributes):
    """Say whether Uvicorn's class has the methods that ours changes, and these attributes."""
    for name, method in vars(own).items():
        if not name.startswith("_") and name != "send_at_once":
            theirs = getattr(stock, name, None)
            if theirs is None or [*signature(theirs).parameters] != [*signature(method).parameters]:
                return False
    return sets(stock, *attributes)


def sets(stock, *attributes):
    """Say whether a class is there, and gives its instances these attributes."""
    return stock is not object and set(attributes) <= set(stock.__init__.__code__.co_names)


STATE = ("client", "conn", "disconnected", "handshake_complete", "loop", "read_paused", "writable")
if (
    fits(Http, HttpToolsProtocol, "loop", "parser")
    and fits(SharedFrames, WebSocketsSansIOProtocol, *STATE)
    and sets(Protocol, "parser")
):
    PROTOCOLS = {"http": Http, "ws": SharedFrames}
else:
    PROTOCOLS = {}
    logger.warning("serving/uvicorn_frames.py does not know this version of Uvicorn and does nothing")
