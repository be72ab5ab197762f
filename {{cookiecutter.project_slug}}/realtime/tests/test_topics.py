"""Many WebSockets over one: what a topic is, and what it is not."""

import asyncio

import pytest
from msgspec import Struct

from realtime import topics
from realtime.codes import NOT_ALLOWED, NOT_AUTHENTICATED, NOT_FOUND, NOT_SHARED
from realtime.consumer import RealtimeConsumer
from realtime.frames import ClientFrame, Frame, Refused
from realtime.hub import get_hub
from realtime.publish import apublish
from realtime.tests.sample import PlainConsumer, PlainJsonConsumer, SampleConsumer
from realtime.tests.topics import GUESTS, NESTED, SAMPLE, Topics, until


@pytest.fixture
async def opened(connect, student):
    SampleConsumer.ended.clear()
    return Topics(await connect("/ws/", student))


async def test_each_topic_is_a_socket_of_its_own(opened):
    await opened.subscribe(SAMPLE, NESTED, f"{SAMPLE}#2")
    assert await opened.request(SAMPLE, "say", text="Hi") == {
        "type": "reply", "id": "x", "ok": True, "length": 2, "topic": SAMPLE
    }  # fmt: skip
    for topic in (SAMPLE, NESTED, f"{SAMPLE}#2"):
        assert await opened.receive(topic, "said") == {"type": "said", "text": "Hi", "topic": topic}
    assert (await opened.socket.request("ping"))["ok"]
    assert "topic" not in await opened.socket.receive("pong")
    await opened.request(NESTED, "ping")
    assert await opened.receive(NESTED, "pong")
    assert opened.socket.unread == []


async def test_the_scope_is_that_of_a_socket(opened):
    await opened.subscribe(f"{SAMPLE}?a=%26#2", since=41)
    (whole, topic) = sorted(get_hub().sockets, key=lambda socket: socket.socket_id)
    assert topic.scope["path"] == SAMPLE
    assert topic.scope["query_string"] == b"a=%26&since=41"
    assert topic.since() == 41
    assert topic.user == whole.user
    assert topic.socket_id == f"{whole.socket_id}.1"
    assert topic.scope["client"] == whole.scope["client"]


async def test_what_is_wrong_with_a_topic_is_an_error(opened):
    await opened.subscribe(SAMPLE)
    for frame, code in [
        ({"type": "subscribe", "topic": SAMPLE}, "already_subscribed"),
        ({"type": "subscribe", "topic": "ws/sample/"}, "invalid_message"),
        ({"type": "subscribe", "topic": "/" + "x" * 2000}, "invalid_message"),
        ({"type": "subscribe", "topic": SAMPLE + "#2", "since": -1}, "invalid_message"),
        ({"type": "unsubscribe", "topic": NESTED}, "not_subscribed"),
        ({"type": "say", "text": "Hi", "topic": NESTED}, "not_subscribed"),
        ({"type": "sing", "topic": SAMPLE}, "unknown_type"),
        ({"type": "say", "text": "Hi"}, "unknown_type"),
        ({"type": "say", "topic": 7}, "unknown_type"),
    ]:
        await opened.socket.send(**frame, id=7)
        error = await opened.socket.receive("error")
        assert (error["code"], error["id"]) == (code, 7), frame
        if isinstance(frame.get("topic"), str):
            assert error["topic"] == frame["topic"]
    assert (await opened.request(SAMPLE, "ping"))["ok"]


async def test_who_may_not_come_in_gets_a_code_and_a_reason(opened, connect, monkeypatch):
    async def opens(self):
        raise Refused(NOT_ALLOWED, "Not today")

    await opened.subscribe(NESTED)
    monkeypatch.setattr(SampleConsumer, "opened", opens)
    assert await opened.refused(SAMPLE) == (NOT_ALLOWED, "Not today")
    assert await opened.refused("/ws/nowhere/") == (NOT_FOUND, "There is no WebSocket here")
    assert (await opened.refused("/ws/"))[0] == NOT_SHARED
    assert (await opened.request(NESTED, "ping"))["ok"]
    guest = Topics(await connect("/ws/"))
    assert (await guest.refused(NESTED))[0] == NOT_AUTHENTICATED


async def test_guests_get_what_is_for_guests(connect, monkeypatch):
    guest = Topics(await connect("/ws/"))
    await guest.subscribe(GUESTS)
    assert await guest.refused(SAMPLE) == (NOT_AUTHENTICATED, "Log in first")
    monkeypatch.setattr(topics, "admits_guests", lambda route: False)
    assert (await connect("/ws/")).code == NOT_AUTHENTICATED


async def test_a_topic_that_is_left_and_taken_again_at_once(opened):
    for _ in range(3):
        await opened.subscribe(SAMPLE)
        await opened.socket.request("unsubscribe", topic=SAMPLE)
        await apublish("sample", {"type": "said", "text": "to nobody"})
    await opened.subscribe(SAMPLE)
    assert (await opened.request(SAMPLE, "ping"))["ok"]
    await until(lambda: len(SampleConsumer.ended) == 3)
    assert SampleConsumer.ended == [1000] * 3
    assert [frame["type"] for frame in opened.socket.unread] == ["pong"]


async def test_a_topic_that_fails_does_not_end_the_others(opened, caplog, monkeypatch):
    async def fails(self, scope, receive, send):
        raise ArithmeticError("as it was asked to")

    await opened.subscribe(SAMPLE)
    monkeypatch.setattr(PlainJsonConsumer, "__call__", fails)
    assert await opened.refused("/ws/plain/1/") == (1011, "Something went wrong on the server")
    assert "as it was asked to" in caplog.text
    assert (await opened.request(SAMPLE, "fail"))["code"] == "internal_error"
    assert (await opened.request(SAMPLE, "ping"))["ok"]


async def test_a_slow_handler_holds_up_its_own_topic_alone(opened, monkeypatch):
    free = asyncio.Event()

    async def fail(self, frame):
        await free.wait()

    monkeypatch.setattr(SampleConsumer, "fail", fail)
    monkeypatch.setattr(topics, "MAX_WAITING", 2)
    await opened.subscribe(SAMPLE, GUESTS)
    await opened.socket.send("fail", topic=SAMPLE, id=0)
    assert (await opened.request(GUESTS, "ping"))["ok"]  # the first is under way
    for id in (1, 2, 3):
        await opened.socket.send("ping", topic=SAMPLE, id=id)
    error = await opened.receive(SAMPLE, "error")
    assert (error["code"], error["id"]) == ("rate_limited", 3)
    assert (await opened.request(GUESTS, "ping"))["ok"]
    free.set()
    assert [(await opened.receive(SAMPLE, "reply"))["id"] for _ in range(3)] == [0, 1, 2]


async def test_a_consumer_of_channels_own_is_a_topic(opened, monkeypatch):
    def deny(self):
        self.close()

    async def send_bytes(self, content):
        await self.send(bytes_data=b"1")

    topic = "/ws/nested/a/7/"
    await opened.socket.request("subscribe", topic=topic)
    await opened.socket.send("who", topic=topic)
    assert (await opened.receive(topic, "who"))["path"] == {"outer": "a", "inner": 7}
    await apublish("plain", {"type": "plain.event", "n": 1})
    assert (await opened.receive(topic, "plain.event"))["n"] == 1
    monkeypatch.setattr(PlainJsonConsumer, "receive_json", send_bytes)
    await opened.socket.send("who", topic=topic)
    assert await opened.closed(topic) == NOT_SHARED
    not_json = (NOT_SHARED, "Open a socket of its own: it sends what is no JSON object")
    assert await opened.refused("/ws/plain/") == not_json
    monkeypatch.setattr(PlainConsumer, "connect", deny)
    assert (await opened.refused("/ws/plain/"))[0] == NOT_ALLOWED
    assert (await opened.socket.request("ping"))["ok"]


class Weather(Frame, tag="weather"):
    topic: str


class Follow(ClientFrame, tag="subscribe"):
    pass


async def follow(self, frame: Follow): ...


class Ask(ClientFrame, tag="ask"):
    pass


class Told(Struct):
    topic: str


async def ask(self, frame: Ask) -> Told:
    return Told(topic="weather")


def test_a_consumer_whose_frames_could_not_be_told_apart_is_no_topic():
    for methods in ({"sends": (Weather,)}, {"follow": follow}, {"ask": ask}):
        assert not topics.can_be_a_topic(type("Own", (RealtimeConsumer,), methods))
    assert topics.can_be_a_topic(SampleConsumer)
