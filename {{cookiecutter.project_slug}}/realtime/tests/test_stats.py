"""What the core counts; as differences, since other tests are counted as well."""

import asyncio
import copy

import pytest

from realtime import outbox
from realtime.codes import NOT_AUTHENTICATED, TRY_AGAIN_LATER
from realtime.hub import get_hub
from realtime.outbox import Outbox
from realtime.publish import apublish
from realtime.stats import stats

PATH = "/ws/sample/"
NAME = "SampleConsumer"


@pytest.fixture
def before():
    return copy.deepcopy(stats)


async def test_sockets_and_their_close_codes(connect, student, before):
    socket, stranger = await connect(PATH, student), await connect(PATH)
    assert await stranger.close_code() == NOT_AUTHENTICATED
    await stranger.disconnect(1000)  # what it answers does not count
    assert stats.open_sockets()[NAME] == before.open_sockets()[NAME] + 1
    await socket.disconnect(1001)
    assert stats.opened - before.opened == {NAME: 2}
    assert stats.closed - before.closed == {(NAME, NOT_AUTHENTICATED): 1, (NAME, 1001): 1}
    assert stats.open_sockets()[NAME] == before.open_sockets()[NAME]


async def test_frames_and_events(connect, student, mentor, before):
    socket, silent = await connect(PATH, student), await connect(PATH, mentor)
    await socket.request("say", text="hello")
    await socket.send("no_such_type")
    await socket.receive("error")
    await silent.receive("said")
    counted = {each.user: (each.received, each.outbox.sent) for each in get_hub().sockets}
    assert counted == {student: (2, 4), mentor: (0, 2)}
    assert stats.received - before.received == {(NAME, "say"): 1}
    assert stats.errors - before.errors == {"unknown_type": 1}
    assert (stats.published - before.published, stats.events - before.events) == (1, 1)
    await socket.disconnect()
    await silent.disconnect()
    assert stats.frames_sent(get_hub().sockets) == before.sent + 6


async def test_a_client_that_does_not_read(connect, student, mentor, before, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_FRAMES", 10)
    deaf, good = await connect(PATH, student, buffer=1), await connect(PATH, mentor)
    for n in range(20):
        await apublish("sample", {"type": "number", "n": n})
    for _ in range(20):
        await good.receive("number")
    assert await deaf.close_code() == TRY_AGAIN_LATER
    assert stats.slow_clients == before.slow_clients + 1


async def test_the_backlog_of_a_socket():
    reads = asyncio.Event()
    own = Outbox(lambda message: reads.wait(), overflow=None)
    for _ in range(3):
        own.push(("hello",))
    assert (own.sent, len(own)) == (0, 2)  # and one is under way
    reads.set()
    await own.finish()
    assert (own.sent, len(own)) == (3, 0)
