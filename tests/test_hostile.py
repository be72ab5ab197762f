"""Clients that mean harm: whatever one of them does costs little, and is over within seconds."""

import asyncio
import socket
import struct
import time
from contextlib import ExitStack, closing, suppress
from types import SimpleNamespace

import psutil
import pytest

from client import Person
from conversation import NOTIFICATIONS, converse, new_room
from polling import until
from services import HOST
from serving import each, running
from variants import BOOTED

VARIANTS = [v for v in BOOTED if (v["channel_layer"], v["auth"]) == ("memory", "session")]

ON_UVICORN = [v for v in VARIANTS if v["server"] in ("uvicorn", "gunicorn")]

# A Uvicorn of which a method takes something else than today.
OTHER_UVICORN = """
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
WebSocketsSansIOProtocol.handle_ping = lambda self, event=None: None
from serving.server import main
main()
"""

WINDOW = 4096  # bytes that a client of these tests takes in without reading
BIG = 60_000  # characters of a chat message
FLOODS_FOR = 6  # seconds
GONE_WITHIN = 12  # seconds
ANSWERS_WITHIN = 2  # seconds; everybody else, on a busy machine
GROWTH = 64  # MiB that all of it may cost
GROWTH_UNCOUNTED = 200  # where only the growth shows that there is a flood; without limits, 100 a second

MASK = bytes(4)  # masks nothing (RFC 6455, section 5.3)
PINGS = (b"\x89\x80" + MASK) * 10_000
LONG_PINGS = (b"\x89\xfd" + MASK + bytes(125)) * 1_000
FRAGMENTS = (b"\x00\x80" + MASK) * 10_000
FIRST_FRAGMENT = b"\x01\x80" + MASK


class Raw:
    """A WebSocket without a library, of which nothing is read after the handshake."""

    def __init__(self, server, path="/", cookie=None, window=WINDOW):
        self.server = server
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(5)
        self.socket.connect((HOST, server.port))
        self.port = self.socket.getsockname()[1]
        self.head = [
            f"GET {path} HTTP/1.1",
            f"Host: {HOST}:{server.port}",
            f"Origin: {server.url}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            *([f"Cookie: sessionid={cookie}"] if cookie else ()),
        ]

    def shake_hands(self):
        self.socket.sendall("\r\n".join([*self.head, "", ""]).encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            byte = self.socket.recv(1)
            assert byte, f"cut after {answer}"
            answer += byte
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        return self

    def flood(self, data, first=b"", reading=False):
        """Send this again and again, for some seconds or until the connection is cut."""
        self.socket.settimeout(0.1)
        ends = time.monotonic() + FLOODS_FOR
        data = memoryview(data)
        with suppress(ConnectionError):
            self.socket.sendall(first)
            rest = data
            while time.monotonic() < ends:
                with suppress(TimeoutError):
                    rest = rest[self.socket.send(rest) :] or data
                if reading:
                    with suppress(TimeoutError, BlockingIOError):
                        while self.socket.recv(2**20, socket.MSG_DONTWAIT):
                            pass

    def open(self):
        """Say whether the server's process, or the kernel for it, still keeps anything of the connection."""
        return any(
            end.laddr.port == self.server.port and end.raddr and end.raddr.port == self.port
            for end in psutil.net_connections("tcp")
            if end.status not in (psutil.CONN_FIN_WAIT2, psutil.CONN_TIME_WAIT)  # nothing is unsent
        )

    async def gone(self, within=GONE_WITHIN):
        await until(lambda: not self.open(), within, "still open")

    def close(self):
        self.socket.close()


@pytest.fixture(scope="module", params=each(VARIANTS))
def site(request, installed):
    """A server, and two connections on which no whole request arrives, opened at its start."""
    rates = {"WS_RATE": "1000/second", "WS_USER_RATE": "1000/second", "WS_BYTE_RATE": "1000000000/second"}
    with running(installed(request.param), **rates) as server:
        silent, partial = Raw(server), Raw(server)
        partial.socket.sendall("\r\n".join(partial.head).encode())
        since = time.monotonic()
        with closing(silent), closing(partial):
            yield SimpleNamespace(
                server=server,
                half_open=(silent, partial),
                since=since,
                before=server.memory(),
                counts=request.param["server"] != "granian",  # whose Rust shows nobody pings and fragments
            )
            assert "Traceback" not in server.output(), server.output()


@pytest.fixture
def people(site):
    student, mentor = [Person(site.server.url, name, "session") for name in ("student", "mentor")]
    with closing(student), closing(mentor):
        yield student, mentor


def raw(site, path, person=None, **options):
    return Raw(site.server, path, person and person.browser.cookies["sessionid"], **options).shake_hands()


async def test_who_does_not_read_is_gone_within_seconds(site, people):
    """A slow client has its backlog; when that is full, neither process nor kernel remember it."""
    student, mentor = people
    room = new_room(student)
    async with student.open(room) as socket:
        await socket.frame("connection_established")
        with closing(raw(site, room, mentor)) as hostile:
            await socket.frame("presence")
            ends = time.monotonic() + 10
            while hostile.open():
                assert time.monotonic() < ends, site.server.output()[-3000:]
                await socket.request("chat_message", message="x" * 4000)
                for _ in range(20):
                    await socket.send("webrtc_signal", signal={"sdp": "x" * BIG})
        assert (await socket.frame("presence"))["event"] == "leave"


async def test_who_ignores_a_close_is_cut(site):
    with closing(raw(site, NOTIFICATIONS)) as hostile:
        await hostile.gone()


@pytest.mark.parametrize("who", ["stranger", "user"])
@pytest.mark.parametrize("reading", [False, True], ids=["unread", "read"])
async def test_a_flood_of_pings_costs_little(who, reading, site, people):
    await survives(site, people, who, PINGS if reading else LONG_PINGS, reading=reading)


async def test_a_flood_of_empty_fragments_costs_little(site, people):
    await survives(site, people, "user", FRAGMENTS, first=FIRST_FRAGMENT)


async def survives(site, people, who, data, **options):
    """Meanwhile others are answered, and afterwards nothing is left of it."""
    student, mentor = people
    async with student.open(NOTIFICATIONS) as socket:
        await socket.frame("connection_established")
        window = {"window": 2**20} if options.get("reading") else {}
        with closing(raw(site, NOTIFICATIONS, mentor if who == "user" else None, **window)) as hostile:
            flood = asyncio.create_task(asyncio.to_thread(hostile.flood, data, **options))
            slowest = highest = 0
            while not flood.done():
                slowest = max(slowest, await socket.ping())
                highest = max(highest, site.server.memory())
                await asyncio.sleep(0.1)
            await flood
            assert slowest < ANSWERS_WITHIN
            assert highest < site.before + (GROWTH if site.counts else GROWTH_UNCOUNTED)
            if who == "stranger" or data is LONG_PINGS or site.counts:
                await hostile.gone()


async def test_half_a_handshake_is_not_waited_for(site):
    for connection in site.half_open:
        await connection.gone(within=max(1, site.since + 30 - time.monotonic()))


@pytest.mark.parametrize("variant", each(ON_UVICORN))
async def test_another_uvicorn_is_left_as_it_is(variant, installed):
    with running(installed(variant), command=(".venv/bin/python", "-c", OTHER_UVICORN)) as server:
        await converse(server.url, variant)
        assert server.output().count("uvicorn_frames.py does not know this version of Uvicorn") == 1


@pytest.mark.parametrize("variant", each(VARIANTS))
def test_a_handshake_that_comes_as_the_server_stops_is_answered(variant, installed):
    """A proxy takes a connection that is cut for a server that is broken."""
    with ExitStack() as stack:
        server = stack.enter_context(running(installed(variant)))
        late = [stack.enter_context(closing(Raw(server, NOTIFICATIONS))) for _ in range(20)]
        server.terminate()
        for client in late:
            client.shake_hands()
        for client in late:
            opcode, _, code = struct.unpack(">BBH", client.socket.recv(4))
            assert opcode == 0x88
            assert code in (1012, 4012, 4401)  # the last, if it was in time
