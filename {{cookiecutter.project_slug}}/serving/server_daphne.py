"""Serve the project with Daphne: `python -m serving.server`, or with `--reload` while developing."""

import asyncio
import logging
import sys
import warnings
from functools import lru_cache

import daphne.server  # installs Twisted's asyncio reactor, so it comes before anything of Twisted
from autobahn.websocket.protocol import PreparedMessage
from daphne import ws_protocol
from daphne.endpoints import build_endpoint_description_strings
from django.conf import settings
from twisted.internet.defer import Deferred
from twisted.logger import STDLibLogObserver, globalLogPublisher

from serving.hub import start_hub
from serving.starting import start_server
from serving.stopping import drain_sockets, finish_handshakes
from serving.timeouts import CLOSE_TIMEOUT, GRACE, REQUEST_TIMEOUT
from serving.websocket_limits import PING_SECONDS, FrameCount

STEPS = 16  # of parsing, two for each frame, before others have a look in
MAX_QUEUE = 32  # messages that wait for a busy consumer before reading from its client stops

logger = logging.getLogger("serving")


@lru_cache(maxsize=16)  # of what is under way just now
def framed(texts: tuple[str, ...]) -> bytes:
    """Make the frames that many sockets share."""
    return b"".join(PreparedMessage(text.encode(), False, False, True).payloadHybi for text in texts)


class WebSocketProtocol(ws_protocol.WebSocketProtocol):
    """Back-pressure in both directions, without which Daphne's memory grows with what its clients do."""

    next_steps = None

    def onConnect(self, request):
        self.failByDrop = False  # a message that is too big closes with 1009, not by a cut connection
        self.frames = FrameCount()
        self.writable = asyncio.Event()
        self.writable.set()
        self.transport.unregisterProducer()  # that of the HTTP request before
        self.transport.registerProducer(self, True)
        return super().onConnect(request)

    # Twisted calls these when a client that does not read has filled the transport, and when it has read.
    # Meanwhile its pings, too, which are answered, must wait.

    def pauseProducing(self):
        self.writable.clear()
        self.transport.pauseProducing()

    def resumeProducing(self):
        self.writable.set()
        self.read_on()

    def stopProducing(self):
        self.writable.set()

    def serverSend(self, content, binary=False):
        # Daphne's uses sendMessage(), which holds outgoing messages to the limit for incoming ones.
        if self.state == self.STATE_OPEN:
            self.sendFrame(opcode=2 if binary else 1, payload=content if binary else content.encode())

    def send_at_once(self, texts):  # see realtime/outbox.py
        if self.state != self.STATE_OPEN or not self.writable.is_set():
            return False
        self.transport.write(framed(texts))
        return True

    async def send(self, message):
        await self.server.handle_reply(self, message)

    def dropConnection(self, abort=False):
        super().dropConnection(abort)
        if not abort:  # which waits for a client that does not read
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self.transport.abortConnection)

    def consumeData(self):
        """As autobahn does it, but a few frames at a time, since one read may bring thousands."""
        if self.state not in (self.STATE_OPEN, self.STATE_CLOSING):
            super().consumeData()
            return
        for _ in range(STEPS):
            if not self.processData() or self.state == self.STATE_CLOSED:
                return
        if self.next_steps is None:
            self.next_steps = asyncio.get_running_loop().call_soon(self.go_on)
            self.transport.pauseProducing()  # or more would come than is worked through

    def go_on(self):
        self.next_steps = None
        self.consumeData()
        self.read_on()

    def read_on(self):
        """Read from the client again, unless there is a reason not to."""
        if self.next_steps is None and self.application_queue.qsize() < MAX_QUEUE and self.writable.is_set():
            self.transport.resumeProducing()

    def connectionLost(self, reason):
        if self.next_steps is not None:  # what has come is taken before it is over
            self.next_steps.cancel()
            super().consumeData()
        super().connectionLost(reason)

    def onMessage(self, payload, isBinary):
        super().onMessage(payload, isBinary)
        if self.application_queue.qsize() >= MAX_QUEUE:
            self.transport.pauseProducing()

    def onPing(self, payload):
        super().onPing(payload)
        self.count()

    def onPong(self, payload):
        super().onPong(payload)
        self.count()

    def onMessageFrameEnd(self):
        super().onMessageFrameEnd()
        if self.current_frame.opcode == 0:
            self.count()

    def count(self):
        if self.frames.too_many():
            logger.warning("cut a socket of %s, which sends too many pings or fragments", self.client_addr)
            self.dropConnection(abort=True)

    async def receive(self):
        message = await self.application_queue.get()
        if self.application_queue.empty():
            self.read_on()
        return message


ws_protocol.WebSocketFactory.protocol = WebSocketProtocol


class Server(daphne.server.Server):
    def run(self):
        self.ports = []
        daphne.server.twisted_loop.call_soon(log_as_before, warnings.showwarning)
        daphne.server.twisted_loop.call_soon(start_hub)
        super().run()

    def listen_success(self, port):
        super().listen_success(port)
        self.ports.append(port)
        self.http_factory.timeOut = REQUEST_TIMEOUT

    def create_application(self, protocol, scope):
        return super().create_application(protocol, {**scope, "protocol": protocol})

    async def handle_reply(self, protocol, message):
        if message["type"] == "websocket.send":
            await protocol.writable.wait()
        await super().handle_reply(protocol, message)

    def kill_all_applications(self):
        return Deferred.fromFuture(asyncio.ensure_future(self.drain()))

    async def drain(self):
        """Ask the WebSocket clients to come back, then cancel what is left; Daphne only cancels."""
        await drain_sockets()
        for port in self.ports:
            port.stopListening()
        await asyncio.sleep(0.1)  # until what was sent has arrived
        await finish_handshakes(self.shaking_hands, timeout=2)
        for protocol in self.connections:
            if isinstance(protocol, WebSocketProtocol):
                protocol.dropConnection(abort=True)  # its client does not read; clean-up runs all the same
        applications = [details.get("application_instance") for details in self.connections.values()]
        if running := [application for application in applications if application]:
            _, late = await asyncio.wait(running, timeout=GRACE)
            for application in late:
                application.cancel()

    def shaking_hands(self):
        return any(
            isinstance(protocol, WebSocketProtocol) and "disconnected" not in details
            for protocol, details in self.connections.items()
        )


def make_application():
    """Give each socket what its protocol above can: hold back a fast client, and cut one."""
    from config.asgi import application

    async def app(scope, receive, send):
        protocol = scope.pop("protocol")
        if scope["type"] == "websocket":
            receive, send = protocol.receive, protocol.send
            scope["extensions"] = {"realtime.abort": protocol.transport.abortConnection}
        await application(scope, receive, send)

    return app


def log_as_before(showwarning):
    """Have what Twisted logs, and warnings, in our log; Daphne throws both away when it starts."""
    logging.getLogger("twisted").setLevel(logging.WARNING)
    globalLogPublisher.addObserver(STDLibLogObserver())
    warnings.showwarning = showwarning


def serve(signal_handlers=False):
    if settings.UNIX_SOCKET:
        endpoints = build_endpoint_description_strings(unix_socket=str(settings.UNIX_SOCKET))
    else:
        endpoints = build_endpoint_description_strings(settings.HOST, settings.PORT)
    server = Server(
        make_application(),
        endpoints=[f"{endpoint}:backlog=2048" for endpoint in endpoints],
        signal_handlers=signal_handlers,
        websocket_max_message_size=settings.REALTIME["MAX_MESSAGE_BYTES"],
        websocket_max_frame_size=settings.REALTIME["MAX_MESSAGE_BYTES"],
        ping_interval=PING_SECONDS,
        ping_timeout=PING_SECONDS,
        websocket_connect_timeout=REQUEST_TIMEOUT,
        websocket_handshake_timeout=REQUEST_TIMEOUT,
        websocket_timeout=-1,  # Daphne's own would close each socket after a day
        server_name="",
    )
    server.run()
    if not server.ports:
        sys.exit(1)


def main():
    start_server(lambda: serve(signal_handlers=True), serve_for_development=serve)


if __name__ == "__main__":
    main()
