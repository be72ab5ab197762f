"""
A page that shows three things, with a socket for each or with one at `/ws/` that has them as topics: rooms,
notifications and one more, of a generated project served by its own command in one process, with Redis.

Pages connect 50 at a time. The server's CPU is that of its one process, memory the growth of its resident set
from before they connect to when all rest. Then messages of 200 bytes go to a room in which all pages are.

What comes before another frame in a connection holds it up. To measure that, a proxy stands for a line of
2 Mbit/s that a page has for all its connections, in turn; a room sends it a history of 1,000 messages, and
meanwhile the page pings its notifications.
"""

import asyncio
import contextlib
import json
import statistics
import time

from websockets.asyncio.client import connect

from .common import cpu_seconds, free_port, rss, running
from .project import ENVIRONMENT, generate
from .project import run as run_command
from .report import Bar, in_rounds, median, ratio, table

CASES = {"three": "a socket for each of three", "one": "one socket with three topics"}
PATHS = ("/ws/rooms/lobby/", "/ws/notifications/", "/ws/doctor/")
PAGES = 300
EVENTS = 40
MESSAGES = 1000  # of the history
BITS = 2_000_000  # a second, of the slow line
TURN = 1460  # bytes that a connection gets through it before the next one
LIMITS = {"WS_USER_RATE": "1000000/second", "WS_RATE": "1000/second"}
ROOM = """
from django.contrib.auth import get_user_model
from rooms.models import Message, Room
user = get_user_model().objects.get(username="bench")
room, _ = Room.objects.get_or_create(slug="lobby", defaults={{"name": "Lobby"}})
Message.objects.bulk_create(Message(room=room, author=user, body="x" * 200) for _ in range({}))
"""


class Page:
    """What one page has open: a conversation for each path, over sockets of their own or over one."""

    def __init__(self, port, cookie, case, stack):
        self.base = f"ws://127.0.0.1:{port}"
        self.options = {"origin": self.base.replace("ws", "http"), "additional_headers": {"Cookie": cookie}}
        self.case, self.stack, self.sockets = case, stack, {}

    async def open(self, paths=PATHS, since=None):
        if self.case == "three":
            for path in paths:
                query = f"?since={since}" if since is not None and "rooms" in path else ""
                self.sockets[path] = await self.connect(path + query)
        else:
            socket = await self.connect("/ws/")
            self.sockets = dict.fromkeys(paths, socket)
            for path in paths:
                frame = {"type": "subscribe", "topic": path}
                if since is not None and "rooms" in path:
                    frame["since"] = since
                await socket.send(json.dumps(frame))
            greeted = 0
            while since is None and greeted < len(paths):
                greeted += json.loads(await socket.recv())["type"] == "connection_established"

    async def connect(self, path):
        socket = await connect(
            self.base + path, **self.options, proxy=None, compression=None, ping_interval=None, max_queue=None
        )
        await self.stack.enter_async_context(socket)
        assert json.loads(await socket.recv())["type"] == "connection_established"
        return socket

    async def send(self, path, type, **fields):
        topic = {"topic": path} if self.case == "one" else {}
        await self.sockets[path].send(json.dumps({"type": type, **fields, **topic}))


async def many(server, port, cookie, case):
    """Pages connect and rest; then events go to all of them."""
    opening = asyncio.Semaphore(50)
    async with contextlib.AsyncExitStack() as stack, asyncio.timeout(300):

        async def enter():
            page = Page(port, cookie, case, stack)
            async with opening:
                await page.open()
            return page

        await enter()  # imports and caches
        memory, cpu, begin = rss(server), cpu_seconds(server), time.perf_counter()
        pages = await asyncio.gather(*(enter() for _ in range(PAGES)))
        wall, cpu = time.perf_counter() - begin, cpu_seconds(server) - cpu
        await asyncio.sleep(1)
        memory = rss(server) - memory

        async def hear(socket):
            heard = 0
            while heard < EVENTS:
                heard += json.loads(await socket.recv())["type"] == "chat_message"

        before = cpu_seconds(server)
        hearing = [asyncio.create_task(hear(page.sockets[PATHS[0]])) for page in pages[1:]]
        for _ in range(EVENTS):
            await pages[0].send(PATHS[0], "chat_message", message="x" * 200)
            await asyncio.sleep(0.05)
        await asyncio.gather(*hearing)
        delivered = EVENTS * len(hearing)
        return {
            "pages_per_second": PAGES / wall,
            "cpu_per_page_ms": cpu / PAGES * 1000,
            "kb_per_page": memory / PAGES / 1024,
            "cpu_per_event_us": (cpu_seconds(server) - before) / delivered * 1e6,
        }


class SlowLine:
    """A proxy of a page: what the server sends passes at `BITS`, a piece of each connection at a time."""

    def __init__(self, port):
        self.port, self.turn = port, asyncio.Lock()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.join, "127.0.0.1", 0, limit=TURN)
        return self.server.sockets[0].getsockname()[1]

    async def __aexit__(self, *exc_info):
        self.server.close()

    async def join(self, reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", self.port, limit=TURN)
        with contextlib.suppress(OSError):
            await asyncio.gather(self.up(reader, back), self.down(there, writer))

    async def up(self, reader, writer):
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def down(self, reader, writer):
        while data := await reader.read(TURN):
            async with self.turn:
                await asyncio.sleep(len(data) * 8 / BITS)
            writer.write(data)
            await writer.drain()
        writer.close()


async def behind_history(port, cookie, case):
    """How long pings of one path take while another one sends its history over a slow line."""
    async with SlowLine(port) as slow, contextlib.AsyncExitStack() as stack, asyncio.timeout(120):
        page = Page(port, cookie, case, stack)
        page.options |= {"host": "127.0.0.1", "port": slow}
        room, notices, _ = PATHS
        took, left, pinged, pong = [], MESSAGES, None, asyncio.Event()

        async def read(socket):
            nonlocal left
            async for text in socket:
                frame = json.loads(text)
                left -= frame["type"] == "chat_message"
                if frame["type"] == "pong":
                    took.append(time.perf_counter() - pinged)
                    pong.set()

        begin = time.perf_counter()
        await page.open((notices, room), since=0)
        readers = [asyncio.create_task(read(socket)) for socket in set(page.sockets.values())]
        while left > 0:
            pong.clear()
            pinged = time.perf_counter()
            await page.send(notices, "ping")
            await pong.wait()
            await asyncio.sleep(0.05)
        for reader in readers:
            reader.cancel()
        return {
            "ping_p50_ms": statistics.median(took) * 1000,
            "ping_max_ms": max(took) * 1000,
            "history_s": time.perf_counter() - begin,
        }


def measure(case, project, environment):
    port = free_port()
    serve = [project.python, "-m", "serving.server"]
    with running(serve, port, project.path, **environment, PORT=str(port)) as server:
        slow = asyncio.run(behind_history(port, project.cookie, case))
        return asyncio.run(many(server, port, project.cookie, case)) | slow


def run(project, redis_url, options):
    made = generate(project_slug="bench_topics", consumers="rooms, notifications")
    environment = ENVIRONMENT | LIMITS | {"REDIS_URL": redis_url, "HOST": "127.0.0.1", "WS_SHARE": "page"}
    command = [made.python, "manage.py", "shell", "--no-imports", "--command", ROOM.format(MESSAGES)]
    run_command(command, made.path, **environment)
    return in_rounds(list(CASES), lambda case: measure(case, made, environment), options.rounds)


def bars(rounds):
    def of(key):
        return ratio(rounds, "one", "three", key)

    return [
        Bar(
            "CPU for a page, as a part of that with three",
            ratio(rounds, "one", "three", "cpu_per_page_ms"),
            most=1.2,
        ),
        Bar("memory, as a part of that with three", ratio(rounds, "one", "three", "kb_per_page"), most=0.85),
    ]


def section(rounds):
    keys = {
        "pages_per_second": "pages/s",
        "cpu_per_page_ms": "server CPU for a page, ms",
        "kb_per_page": "KB for a page",
        "cpu_per_event_us": "server CPU for a delivery, µs",
        "ping_p50_ms": "ping behind a history p50 ms",
        "ping_max_ms": "most ms",
        "history_s": "the history, s",
    }
    rows = [[title, *(f"{median(rounds, case, key):.1f}" for key in keys)] for case, title in CASES.items()]
    return table(["", *keys.values()], rows)
