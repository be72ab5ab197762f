"""The limits of topics, and their end."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import AsyncClient
from django.utils import timezone

from realtime import connection, limits, outbox, topics
from realtime.codes import (
    ENDED_BY_STAFF,
    NOT_AUTHENTICATED,
    SERVICE_RESTART,
    TOO_BIG,
    TOO_MANY,
    TRY_AGAIN_LATER,
)
from realtime.dispatch import MAX_MESSAGE_BYTES
from realtime.drain import drain
from realtime.frames import to_text
from realtime.hub import get_hub
from realtime.publish import apublish, kick
from realtime.rates import parse_rates
from realtime.tests.sample import SampleConsumer
from realtime.tests.test_auth import log_in
from realtime.tests.topics import GUESTS, NESTED, SAMPLE, Topics, gone, member, until


@pytest.fixture
async def opened(connect, student):
    SampleConsumer.ended.clear()
    return Topics(await connect("/ws/", student))


async def test_a_socket_has_only_so_many_topics(opened, monkeypatch):
    monkeypatch.setattr(topics, "MAX_TOPICS", 2)
    await opened.subscribe(SAMPLE, NESTED)
    await opened.socket.send("subscribe", topic=GUESTS, id=3)
    assert (await opened.receive(GUESTS, "error"))["code"] == "too_many_topics"
    await opened.socket.request("unsubscribe", topic=SAMPLE)
    await gone(SAMPLE)
    await opened.subscribe(GUESTS)


async def test_topics_count_as_sockets_of_their_user(opened, connect, student, monkeypatch):
    monkeypatch.setitem(settings.REALTIME, "MAX_SOCKETS_PER_USER", 3)
    await opened.subscribe(SAMPLE, NESTED)
    assert await opened.refused(GUESTS) == (TOO_MANY, "You have too many connections")
    assert (await connect(SAMPLE, student)).code == TOO_MANY
    assert (await opened.request(SAMPLE, "ping"))["ok"]


async def test_topics_end_with_their_socket(opened):
    await opened.subscribe(SAMPLE, NESTED)
    await opened.socket.disconnect(1001)
    await gone(SAMPLE)
    await gone(NESTED)
    assert SampleConsumer.ended == [1001, 1001]
    assert len(get_hub().sockets) == 0


@pytest.mark.parametrize("fresh", [topics.FRESH_SECONDS, -1])
async def test_a_topic_that_is_left_before_its_consumer_begins(opened, monkeypatch, fresh):
    monkeypatch.setattr(topics, "FRESH_SECONDS", fresh)
    (whole,) = get_hub().sockets
    for _ in range(3):
        await opened.socket.send("subscribe", topic=SAMPLE)
        await opened.socket.send("unsubscribe", topic=SAMPLE)
    await opened.socket.send("subscribe", topic=NESTED)
    await opened.socket.disconnect(1001)
    await until(lambda: not whole.running)
    assert len(get_hub().sockets) == 0


async def test_limits_hold_for_each_topic_and_for_the_rest(opened, monkeypatch):
    await opened.subscribe(SAMPLE, GUESTS)
    await opened.socket.send("say", topic=GUESTS, text="x" * MAX_MESSAGE_BYTES)
    assert await opened.closed(GUESTS) == TOO_BIG
    monkeypatch.setattr(limits, "RATES", parse_rates("2/minute"))
    monkeypatch.setattr(limits, "STRIKES", 2)
    await opened.subscribe(NESTED)
    for _ in range(4):
        await opened.socket.send("ping", topic=NESTED)
    assert await opened.closed(NESTED) == TOO_MANY
    assert (await opened.request(SAMPLE, "ping"))["ok"]
    for _ in range(200):
        await opened.socket.send("ping", topic="/ws/nowhere/")
    assert await opened.socket.close_code() == TOO_MANY


async def test_draining_tells_each_topic_and_then_the_socket(opened):
    await opened.subscribe(SAMPLE, NESTED)
    await opened.socket.request("subscribe", topic="/ws/plain/1/")
    draining = asyncio.create_task(drain())
    for topic in (SAMPLE, NESTED):
        assert 0 <= (await opened.receive(topic, "reconnect"))["after"] <= 3
        assert await opened.closed(topic) == SERVICE_RESTART
    assert (await opened.receive(None, "reconnect"))["after"]
    assert await opened.socket.close_code() == SERVICE_RESTART
    await opened.socket.disconnect(SERVICE_RESTART)
    await draining
    assert SampleConsumer.ended == [SERVICE_RESTART] * 2


async def test_one_topic_may_have_to_come_back(opened):
    await opened.subscribe(SAMPLE, NESTED)
    await member(SAMPLE).reconnect(0.5)
    assert (await opened.receive(SAMPLE, "reconnect"))["after"] == 0.5
    assert await opened.closed(SAMPLE) == SERVICE_RESTART
    await opened.subscribe(SAMPLE)
    assert (await opened.request(NESTED, "ping"))["ok"]


async def test_the_login_is_that_of_the_whole_socket(opened, student):
    await opened.subscribe(SAMPLE)
    await sync_to_async(kick)(student.pk, "Log in again")
    assert await opened.socket.close_code() == NOT_AUTHENTICATED
    await gone(SAMPLE)


async def test_the_user_of_a_late_topic_is_as_now(opened, student, monkeypatch):
    monkeypatch.setattr(topics, "FRESH_SECONDS", -1)
    student.first_name = "Ada"
    await student.asave()
    await opened.subscribe(SAMPLE)
    assert member(SAMPLE).user.first_name == "Ada"
    await type(student).objects.filter(pk=student.pk).aupdate(is_active=False)  # which tells nobody
    assert await opened.refused(NESTED) == (NOT_AUTHENTICATED, "Log in again")
    plain = "/ws/nested/a/7/"  # a consumer of Channels' own is told that nobody is there
    await opened.socket.request("subscribe", topic=plain)
    await opened.socket.send("who", topic=plain)
    assert (await opened.receive(plain, "who"))["user"] == ""


async def test_the_staff_can_end_one_topic(opened):
    await opened.subscribe(SAMPLE, NESTED)
    assert get_hub().processes._end({"socket": member(SAMPLE).socket_id})
    assert await opened.closed(SAMPLE) == ENDED_BY_STAFF
    assert (await opened.request(NESTED, "ping"))["ok"]


async def test_a_login_that_ends_ends_the_whole_socket(connect, student):
    ticket = (await log_in(student, AsyncClient())).partition("?")[2]
    await Session.objects.aupdate(expire_date=timezone.now() + timedelta(seconds=0.5))
    opened = Topics(await connect(f"/ws/?{ticket}"))
    await opened.subscribe(SAMPLE)
    assert await opened.socket.close_code() == NOT_AUTHENTICATED
    assert [frame["type"] for frame in opened.socket.unread if "topic" in frame] == []
    await gone(SAMPLE)


async def test_who_does_not_read_one_topic_reads_none(connect, student, mentor, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_FRAMES", 10)
    monkeypatch.setattr(connection, "DROP_SECONDS", 0.1)
    deaf = Topics(await connect("/ws/", student, buffer=1))
    good = Topics(await connect("/ws/", mentor))
    for each in (deaf, good):
        await each.subscribe(SAMPLE)
    for n in range(100):
        await apublish("sample", {"type": "number", "n": n})
    assert [(await good.receive(SAMPLE, "number"))["n"] for _ in range(100)] == list(range(100))
    await deaf.socket.wait(5)
    assert (await good.request(SAMPLE, "ping"))["ok"]


async def test_who_reads_too_slowly_loses_the_topic_that_sends_too_much(connect, student, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_FRAMES", 10)
    slow = Topics(await connect("/ws/", student, buffer=1))
    await slow.subscribe(SAMPLE)
    for n in range(20):
        member(SAMPLE).outbox.push((to_text({"type": "number", "n": n}),))
    assert await slow.closed(SAMPLE) == TRY_AGAIN_LATER
    await slow.subscribe(SAMPLE)
    assert (await slow.request(SAMPLE, "ping"))["ok"]
