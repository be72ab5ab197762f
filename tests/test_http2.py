"""A WebSocket over HTTP/2 (RFC 8441), as a proxy may have it; of the servers here Hypercorn has that."""

import socket
from contextlib import ExitStack, closing

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RemoteSettingsChanged

from client import Person
from conversation import NOTIFICATIONS
from services import HOST
from serving import each, running
from variants import first

VARIANT = first(server="hypercorn", channel_layer="memory", auth="session")
PING = b'{"type":"ping"}'
FRAME = bytes([0x81, 0x80 | len(PING)]) + bytes(4) + PING  # of RFC 6455, masked with zeros
STREAM = 1


@pytest.fixture(scope="module", params=each([VARIANT]))
def server(request, installed):
    with running(installed(request.param)) as server:
        yield server


class Connection:
    """A connection by HTTP/2 without an upgrade, with one WebSocket."""

    has_settings = False

    def __init__(self, person, server):
        self.socket = socket.create_connection((HOST, server.port), timeout=10)
        self.http = H2Connection(H2Configuration())
        self.http.initiate_connection()
        self.data = b""
        self.until(lambda: self.has_settings)
        headers = {
            ":method": "CONNECT",
            ":protocol": "websocket",
            ":scheme": "http",
            ":path": NOTIFICATIONS,
            ":authority": f"{HOST}:{server.port}",
            "origin": server.url,
            "sec-websocket-version": "13",
            "cookie": f"sessionid={person.browser.cookies['sessionid']}",
        }
        self.http.send_headers(STREAM, list(headers.items()))

    def until(self, condition):
        """Read until something holds; a server that says nothing is an error."""
        while not condition():
            self.socket.sendall(self.http.data_to_send())
            received = self.socket.recv(65536)
            assert received, "it was closed"
            for event in self.http.receive_data(received):
                self.has_settings |= isinstance(event, RemoteSettingsChanged)
                if isinstance(event, DataReceived):
                    self.data += event.data
                    self.http.acknowledge_received_data(event.flow_controlled_length, STREAM)

    def close(self):
        self.socket.close()


def test_frames_come_as_data_of_the_stream(server):
    with ExitStack() as stack:
        student = stack.enter_context(closing(Person(server.url, "student", "session")))
        connection = stack.enter_context(closing(Connection(student, server)))
        connection.until(lambda: b'"connection_established"' in connection.data)
        connection.http.send_data(STREAM, FRAME)
        connection.until(lambda: b'{"type":"pong"}' in connection.data)
        student.do("/notifications/test/")
        connection.until(lambda: b'"type":"notification"' in connection.data)
