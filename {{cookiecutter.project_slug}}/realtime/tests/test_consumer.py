"""The life of one socket: its frames, its limits and its end."""

import asyncio

import msgspec
import pytest
from django.conf import settings

from realtime import limits
from realtime.codes import NOT_FOUND, SERVICE_RESTART, TOO_BIG, TOO_MANY, TRY_AGAIN_LATER
from realtime.consumer import RealtimeConsumer
from realtime.dispatch import MAX_MESSAGE_BYTES
from realtime.drain import drain
from realtime.frames import ClientFrame, Ping, Pong
from realtime.hub import get_hub
from realtime.outbox import Outbox
from realtime.rates import parse_rates
from realtime.tests.sample import SampleConsumer

PATH = "/ws/sample/"


@pytest.fixture
async def socket(connect, student):
    SampleConsumer.ended.clear()
    return await connect(PATH, student)


async def test_a_frame_with_an_id_gets_one_reply(socket):
    reply = await socket.request("say", id="a", text="Hi")
    assert reply == {"type": "reply", "id": "a", "ok": True, "length": 2}
    assert await socket.receive("said") == {"type": "said", "text": "Hi"}
    await socket.send("ping")
    assert await socket.receive("pong") == {"type": "pong"}
    assert socket.unread == []


async def test_a_bad_frame_gets_an_error_and_the_socket_stays_open(socket):
    for frame, code, id in [
        (b"\x00\x01", "unsupported_data", None),
        ("{", "invalid_json", None),
        ('"\ud800"', "invalid_json", None),
        ("[1]", "invalid_message", None),
        ('{"id": 1}', "invalid_message", 1),
        ('{"type": "sing", "id": 2}', "unknown_type", 2),
        ('{"type": "sing", "id": 0}', "unknown_type", 0),
        ('{"type": "say", "text": 1, "id": "x"}', "invalid_message", "x"),
        ("[" * 30_000, "invalid_message", None),
    ]:
        key = "bytes" if isinstance(frame, bytes) else "text"
        await socket.send_input({"type": "websocket.receive", key: frame})
        error = await socket.receive("error")
        assert (error["code"], error.get("id")) == (code, id)
    assert (await socket.request("ping"))["ok"]


async def test_a_handler_that_fails_is_logged_and_the_socket_stays_open(socket, caplog):
    await socket.send("fail", id=7)
    error = await socket.receive("error")
    assert (error["code"], error["id"]) == ("internal_error", 7)
    assert "as it was asked to" in caplog.text
    assert (await socket.request("ping"))["ok"]
    await socket.disconnect(1001)
    assert SampleConsumer.ended == [1001]


@pytest.mark.parametrize("result", [["a list"], "text", 7, {"id": 8}, {"what": object()}])
async def test_a_result_that_fits_into_no_reply_is_an_error(socket, caplog, monkeypatch, result):
    async def fail(self, frame):
        return result

    monkeypatch.setattr(SampleConsumer, "fail", fail)
    await socket.send("fail", id=7)
    error = await socket.receive("error", "reply")
    assert (error.get("code"), error["id"]) == ("internal_error", 7)
    assert "TypeError" in caplog.text
    assert (await socket.request("ping"))["ok"]


class Step(msgspec.Struct):
    n: int


async def test_a_result_may_be_a_struct(socket, monkeypatch):
    async def fail(self, frame):
        return Step(n=3)

    monkeypatch.setattr(SampleConsumer, "fail", fail)
    assert await socket.request("fail") == {"type": "reply", "id": 1, "ok": True, "n": 3}


async def test_clean_up_runs_when_the_server_ends_the_socket(socket):
    socket.future.cancel()
    await socket.wait()
    assert len(SampleConsumer.ended) == 1


async def test_a_frame_that_is_too_big_closes_the_socket(socket):
    await socket.send("say", text="x" * MAX_MESSAGE_BYTES)
    assert await socket.close_code() == TOO_BIG


async def test_too_many_frames_are_refused_and_then_close_the_socket(socket, monkeypatch):
    monkeypatch.setattr(limits, "RATES", parse_rates("2/minute"))
    monkeypatch.setattr(limits, "STRIKES", 2)
    for id in range(4):
        await socket.send("ping", id=id)
    error = await socket.receive("error")
    assert (error["code"], error["id"]) == ("rate_limited", 2)
    assert await socket.close_code() == TOO_MANY


async def test_bytes_count_as_well_as_frames(socket, monkeypatch):
    monkeypatch.setattr(limits, "BYTE_RATES", parse_rates("1000/hour"))
    for id, size in enumerate((300, 300, 400, 100)):
        await socket.send("say", id=id, text="x" * size)
    assert (await socket.receive("error"))["id"] == 2
    assert [(await socket.receive("reply"))["id"] for _ in range(3)] == [0, 1, 3]


@pytest.mark.parametrize(
    ("limit", "code"), [("MAX_SOCKETS", TRY_AGAIN_LATER), ("MAX_SOCKETS_PER_USER", TOO_MANY)]
)
async def test_only_so_many_sockets_are_open(connect, student, monkeypatch, limit, code):
    monkeypatch.setitem(settings.REALTIME, limit, 2)
    one, other, one_too_many = [await connect(PATH, student) for _ in range(3)]
    assert one_too_many.code == code
    await one.disconnect()
    assert (await connect(PATH, student)).hello
    assert (await other.request("ping"))["ok"]


async def test_a_user_has_one_allowance_for_all_sockets(connect, student, mentor, monkeypatch):
    monkeypatch.setitem(settings.REALTIME, "USER_RATE", parse_rates("3/hour"))
    one, other, another_user = [await connect(PATH, user) for user in (student, student, mentor)]
    for socket in (one, other, one, another_user):
        assert (await socket.request("ping"))["ok"]
    await other.send("ping", id=5)
    error = await other.receive("error")
    assert (error["code"], error["id"]) == ("rate_limited", 5)


async def test_slow_queries_of_ten_sockets_run_together(connect, student):
    sockets = [await connect(PATH, student) for _ in range(11)]
    for socket in sockets[:10]:
        await socket.send("query", id=1)
    assert (await sockets[10].request("ping"))["ok"]
    for socket in sockets[:10]:
        assert (await socket.receive("reply"))["ok"]


async def test_draining_tells_clients_to_come_back_and_waits_for_clean_up(socket, connect, student):
    async def drain_and_note():
        await drain()
        SampleConsumer.ended.append("drained")

    draining = asyncio.create_task(drain_and_note())
    assert 0 <= (await socket.receive("reconnect"))["after"] <= 3
    assert await socket.close_code() == SERVICE_RESTART
    await socket.disconnect(SERVICE_RESTART)
    await draining
    assert SampleConsumer.ended == [SERVICE_RESTART, "drained"]
    assert (await connect(PATH, student)).code == SERVICE_RESTART


async def test_who_is_sent_away_while_something_is_sent_is_told(connect, student, monkeypatch):
    socket = await connect(PATH, student)
    (member,) = get_hub().sockets
    finish = Outbox.finish

    async def slow_finish(outbox):
        await finish(outbox)
        await member.send_frame(Pong())  # as what is missed is, one frame after the other
        await asyncio.sleep(0.05)

    monkeypatch.setattr(Outbox, "finish", slow_finish)
    await member.reconnect(1)
    await socket.receive("reconnect")
    assert await socket.close_code() == SERVICE_RESTART


async def test_the_first_frame_is_sent_once(connect, student, caplog):
    assert await (await connect("/ws/hasty/", student)).close_code() == TRY_AGAIN_LATER
    assert "greet() before you send anything else" in caplog.text


async def test_no_such_path(connect, student):
    assert (await connect("/ws/nowhere/", student)).code == NOT_FOUND


class Vote(ClientFrame, tag="vote"):
    pass


class Poll(ClientFrame, tag="vote"):
    pass


async def handler(self, frame: Vote): ...


async def another(self, frame: Poll): ...


async def undeclared(self, frame): ...


def blocking(self, frame: Vote): ...


async def numbered(self, frame: Vote) -> Ping:
    return Ping()


@pytest.mark.parametrize(
    ("methods", "cure"),
    [
        ({"connect": handler}, r"write `opened\(\)`"),
        ({"disconnect": handler}, r"write `closed\(code\)`"),
        ({"receive": handler}, "write a handler for each frame"),
        ({"vote": blocking}, "make it `async def`"),
        ({"vote": handler, "again": handler}, r"two handlers for Vote: again\(\) and vote\(\)"),
        ({"vote": handler, "poll": another}, "Poll and Vote are both of type 'vote'; give one"),
        ({"vote": undeclared}, "annotate it"),
        ({"reconnect": handler}, "would replace a method of the core"),
        ({"vote": numbered}, r"returns Ping, but every reply has its own id, type; return a plain"),
    ],
)
def test_a_consumer_that_would_not_work_is_refused_at_import(methods, cure):
    with pytest.raises(TypeError, match=cure):
        type("Poll", (RealtimeConsumer,), methods)
