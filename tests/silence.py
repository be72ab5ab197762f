"""A line between a project and a service on this machine, which fails as networks do."""

import asyncio
import threading
from concurrent.futures import Future
from contextlib import contextmanager, suppress

from services import HOST

CHUNK = 65_536  # bytes that a connection holds back in each direction, beside what the kernel does
STARTS_WITHIN = 10  # seconds


class Line:
    """Passes TCP connections on to a port. It runs in a thread, so that it works while a test waits."""

    def __init__(self, target):
        self.target = target
        self.port = None
        self._connections = set()
        self._is_cut = False

    def go_silent(self):
        """Pass nothing on in connections that are open now, and keep them open; new ones work."""
        self._call(self._silence)

    def cut(self):
        """End all connections, and those to come, until `mend`."""
        self._call(self._cut)

    def mend(self):
        self._is_cut = False

    def _call(self, function):
        done = Future()
        self._loop.call_soon_threadsafe(lambda: done.set_result(function()))
        done.result(STARTS_WITHIN)

    def _silence(self):
        for flows, _ in self._connections:
            flows.clear()

    def _cut(self):
        self._is_cut = True
        for _, task in self._connections:
            task.cancel()

    async def _run(self, started):
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, HOST, 0, limit=CHUNK)
        self.port = server.sockets[0].getsockname()[1]
        started.set_result(None)
        await self._ended.wait()
        server.close()
        self._cut()
        await asyncio.gather(*(task for _, task in self._connections), return_exceptions=True)

    async def _serve(self, reader, writer):
        flows = asyncio.Event()
        flows.set()
        connection = (flows, asyncio.current_task())
        self._connections.add(connection)
        with suppress(OSError, asyncio.CancelledError):
            if not self._is_cut:
                await self._connect(reader, writer, flows)
        self._connections.discard(connection)
        writer.transport.abort()

    async def _connect(self, reader, writer, flows):
        answers, requests = await asyncio.open_connection(HOST, self.target, limit=CHUNK)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, requests, flows))
                both.create_task(self._pass(answers, writer, flows))
        finally:
            requests.transport.abort()

    async def _pass(self, reader, writer, flows):
        while data := await reader.read(CHUNK):
            await flows.wait()
            writer.write(data)
            await writer.drain()
        await flows.wait()  # the end is not passed on either
        writer.write_eof()


@contextmanager
def line(target):
    """Yield a `Line` to a port of this machine."""
    connection, started = Line(target), Future()
    thread = threading.Thread(target=lambda: asyncio.run(connection._run(started)), daemon=True)
    thread.start()
    started.result(STARTS_WITHIN)
    try:
        yield connection
    finally:
        connection._loop.call_soon_threadsafe(connection._ended.set)
        thread.join(STARTS_WITHIN)
    assert not thread.is_alive()
