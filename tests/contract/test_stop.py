"""C7, C10: what runs at the end of a socket, and of the server."""

import asyncio
import time
from contextlib import AsyncExitStack

from contract.site import PROBE
from polling import until
from serving import running


async def test_c07_cleanup_runs_however_a_socket_ends(site):
    async with site.student.open(PROBE, run="after an exception") as socket:
        await socket.frame("connection_established")
        error = await socket.request("explode")
        assert (error["type"], error["code"]) == ("error", "internal_error")
        assert "exploded" not in error["detail"]
        log = site.server.output()[site.start :]
        assert "Traceback" in log
        assert "ArithmeticError: the probe exploded" in log
        await socket.ping()
    await until(lambda: len(site.cleanups("after an exception")) == 1)

    async with site.student.open(PROBE, run="killed") as socket:
        await socket.frame("connection_established")
        await socket.send("explode")
        socket.socket.transport.abort()
    await until(lambda: len(site.cleanups("killed")) == 1)

    room = site.new_room()
    async with site.mentor.open(room) as mentor:
        await mentor.frame("connection_established")
        async with site.student.open(room) as student:
            assert (await mentor.frame())["event"] == "join"
            student.socket.transport.abort()
        assert (await mentor.frame())["event"] == "leave"


async def test_c10_sigterm_sends_everyone_away_and_cleans_up(site):
    code = 4012 if site.variant["server"] == "daphne" else 1012
    with running(site.project) as server:
        people = [person.at(server.url) for person in (site.student, site.mentor)] * 25
        async with AsyncExitStack() as stack:
            opened = (stack.enter_async_context(person.open(PROBE, run="drained")) for person in people)
            sockets = [await socket for socket in opened]
            for socket in sockets:
                await socket.frame("connection_established")
            many = await stack.enter_async_context(people[0].open("/ws/"))
            assert (await many.request("subscribe", topic=f"{PROBE}?run=topic"))["ok"]
            assert (await many.frame())["type"] == (await many.frame())["type"] == "connection_established"
            start = time.monotonic()
            processes = server.processes()
            server.terminate()
            codes = await asyncio.gather(*(socket.closed() for socket in (*sockets, many)))
            await until(lambda: server.process.poll() is not None, 10)
            assert time.monotonic() - start < 10
        assert set(codes) == {code}
        frames = [list(socket.unread) for socket in sockets]
        assert all(len(own) == 1 and own[0]["type"] == "reconnect" for own in frames), frames[:3]
        assert len({own[0]["after"] for own in frames}) > 25
        assert len(site.cleanups("drained")) == 50
        ends = [(frame["type"], frame.get("topic", "").partition("?")[0]) for frame in many.unread]
        assert ends == [("reconnect", PROBE), ("closed", PROBE), ("reconnect", "")]
        assert many.unread[1]["code"] == code
        assert site.cleanups("topic")[-1] == f"run=topic {code}"
        exits = {f"exit {process.pid}" for process in processes}
        await until(lambda: exits & set(site.written()))  # atexit has run
