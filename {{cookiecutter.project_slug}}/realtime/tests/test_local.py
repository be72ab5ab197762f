"""Processes without sockets publish to those of this one, through a Unix socket."""

import asyncio
import os
import socket
import stat
import sys
from contextlib import ExitStack

import pytest
from channels.layers import get_channel_layer
from django.conf import settings

from realtime import local
from realtime.drain import drain
from realtime.events import text_event
from realtime.publish import flush, publish

PATH = "/ws/sample/"
NUMBER = {"type": "number", "n": 1}
COMMAND = """
from realtime.publish import flush, publish
for n in range(200):
    publish("sample", {"type": "number", "n": n})
print(flush())
"""


@pytest.fixture
def path():
    return get_channel_layer().socket


async def send(path):
    await local.send(path, "sample", text_event(NUMBER))


def visit(stack, path):
    """Return a connection that says nothing."""
    visitor = stack.enter_context(socket.socket(socket.AF_UNIX))
    visitor.setblocking(False)
    visitor.connect(str(path))
    return visitor


async def test_a_command_publishes_in_order(connect, student, path):
    client = await connect(PATH, student)
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", COMMAND),
        cwd=settings.BASE_DIR,
        env=os.environ | {"REALTIME_SOCKET": str(path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await command.communicate()
    assert output == b"True\n"
    assert [(await client.receive("number"))["n"] for _ in range(200)] == list(range(200))


async def test_another_event_loop_of_this_process_publishes(connect, student):
    client = await connect(PATH, student)
    sending = get_channel_layer().group_send("sample", text_event(NUMBER))
    await asyncio.to_thread(asyncio.run, sending)
    assert await client.receive("number") == NUMBER


async def test_without_a_server_nobody_gets_it(path):
    with pytest.raises(ConnectionError, match="no server of this project runs here"):
        await send(path)
    publish("sample", NUMBER)
    assert not await asyncio.to_thread(flush)


async def test_nobody_gets_it_once_the_server_stops(connect, student, path):
    client = await connect(PATH, student)
    await send(path)
    stopping = asyncio.create_task(drain())
    await client.close_code()
    with pytest.raises(ConnectionError, match="no server of this project runs here"):
        await send(path)
    await client.disconnect()
    await stopping
    assert not path.exists()


async def test_only_its_owner_can_use_it(connect, student, path):
    await connect(PATH, student)
    found = path.stat()
    assert (stat.filemode(found.st_mode), found.st_uid) == ("srw-------", os.geteuid())


async def test_what_a_killed_server_left_behind_is_replaced(connect, student, path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    client = await connect(PATH, student)
    await send(path)
    assert await client.receive("number") == NUMBER


async def test_what_is_no_socket_stays_there(connect, student, path, caplog):
    path.write_text("somebody's own")
    try:
        await connect(PATH, student)
        assert "something else is there. Set REALTIME_SOCKET" in caplog.text
        assert path.read_text() == "somebody's own"
    finally:
        path.unlink()


async def test_a_server_that_cannot_listen_says_so_and_serves(connect, student, caplog, tmp_path):
    get_channel_layer().socket = tmp_path / "nowhere" / "realtime.sock"
    client = await connect(PATH, student)
    assert "cannot listen at" in caplog.text
    assert (await client.request("ping"))["ok"]


async def test_who_says_nothing_keeps_nobody_else_out(connect, student, path, monkeypatch):
    monkeypatch.setattr(local, "MAX_PUBLISHERS", 2)
    monkeypatch.setattr(local, "SECONDS", 0.2)
    client = await connect(PATH, student)
    with ExitStack() as stack:
        for _ in range(2):
            visit(stack, path)
        await asyncio.sleep(0.1)
        monkeypatch.setattr(local, "SECONDS", 5)
        await send(path)
    assert await client.receive("number") == NUMBER


@pytest.mark.parametrize("data", [b"", b"\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1x", b"\0\0\0\2\x91\1"])
async def test_nonsense_is_refused(connect, student, path, data, caplog):
    client, loop = await connect(PATH, student), asyncio.get_running_loop()
    with ExitStack() as stack:
        visitor = visit(stack, path)
        await loop.sock_sendall(visitor, data)
        visitor.shutdown(socket.SHUT_WR)
        assert await loop.sock_recv(visitor, 1) == b""
    assert "could not take an event" in caplog.text
    await send(path)
    assert await client.receive("number") == NUMBER


async def test_what_no_group_could_hold_is_not_even_sent(path):
    with pytest.raises(ValueError, match="too big"):
        await local.send(path, "sample", {"type": "sample.event", "text": "x" * (local.MAX_SIZE + 1)})
