import asyncio
from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import IntegrityError
from django.utils import timezone

from assistant import generate, metrics, partials, storage
from assistant.models import ChatMessage, ChatSession
from integrations.llm.provider import Finished, Message, ProviderError, Usage
from realtime import drain
from realtime.codes import NOT_AUTHENTICATED, NOT_FOUND
from realtime.database import in_database
from realtime.hub import get_hub

LONG = 60  # seconds that no test waits for


class Scripted:
    """A provider that does what it is told: it says texts, sleeps so many seconds, raises, and finishes."""

    closed = 0
    asked: list = []

    def __init__(self, name, model="script", script=()):
        self.name, self.model, self.script = name, model, script

    async def stream(self, messages, *, max_tokens):
        Scripted.asked.append((self.name, messages))
        try:
            for each in self.script:
                if isinstance(each, int | float):
                    await asyncio.sleep(each)
                elif isinstance(each, Exception):
                    raise each
                else:
                    yield each
        finally:
            Scripted.closed += 1


@pytest.fixture(autouse=True)
def models(settings):
    """Return a function that says which providers there are, and what they do."""
    Scripted.closed, Scripted.asked = 0, []

    def models(**scripts):
        name = f"{__name__}.Scripted"
        settings.CHAT_MODELS = {
            provider: {"class": name, "script": script} for provider, script in scripts.items()
        }

    models(one=["Hel", "lo", Finished("stop", Usage(3, 2))])
    return models


@pytest.fixture
def session(student):
    return ChatSession.objects.create(owner=student)


def path(session, since=None):
    return f"/ws/chat/session/{session.pk}/" + ("" if since is None else f"?since={since}")


class Reader:
    """Keeps the messages of a session as a page does."""

    def __init__(self, socket):
        self.socket, self.texts, self.ended, self.prompts = socket, {}, {}, {}

    def take(self, frame):
        kind, id = frame["type"], frame.get("message_id")
        if kind == "chat_message":
            self.prompts[id] = frame["message"]
        elif kind == "message_snapshot":
            text = self.texts.get(id, "")[: frame["offset"]] + frame["text"]
            finished = frame["state"] == "finished"
            if finished or len(text) >= len(self.texts.get(id, "")):
                self.texts[id] = text
            if finished:
                self.ended[id] = frame
        elif kind == "message_started":
            self.texts.setdefault(id, "")
        elif kind == "message_delta":
            had = self.texts.setdefault(id, "")
            if frame["offset"] <= len(had):  # else a snapshot is on its way
                self.texts[id] = had[: frame["offset"]] + frame["text"]
        elif kind == "message_finished":
            self.ended[id] = frame

    def has(self, id):
        end = self.ended.get(id)
        return end and len(self.texts.get(id, "")) == end.get("length", len(self.texts.get(id, "")))

    async def until_finished(self, *ids):
        while not all(map(self.has, ids)):
            self.take(await self.socket.receive())
        return [self.ended[id] for id in ids]

    async def until_text(self, id, text):
        while self.texts.get(id) != text:
            self.take(await self.socket.receive())


async def ask(socket, message="Hi", **fields):
    reply = await socket.request("chat_message", message=message, **fields)
    return reply["message_id"], [answer["message_id"] for answer in reply["answers"]]


async def test_two_answers_side_by_side(connect, student, session, models):
    models(one=["Hel", "lo", Finished("stop", Usage(3, 2))], two=["Well, ", 0.1, "no", Finished("length")])
    here, there = [Reader(await connect(path(session), student)) for _ in range(2)]
    assert here.socket.hello["providers"] == [
        {"name": "one", "model": "script"},
        {"name": "two", "model": "script"},
    ]
    prompt, answers = await ask(here.socket, "  Hi\0 ")
    for reader in (here, there):
        first, second = await reader.until_finished(*answers)
        assert reader.prompts == {prompt: "Hi"}
        assert [reader.texts[id] for id in answers] == ["Hello", "Well, no"]
        assert (first["reason"], second["reason"]) == ("stop", "length")
        assert first["usage"] == {"input_tokens": 3, "output_tokens": 2}
        assert second["ms"]["total"] - second["ms"]["first"] >= 90
    stored = await ChatMessage.objects.aget(pk=answers[1])
    assert (stored.text, stored.state, stored.provider) == ("Well, no", "finished", "two")
    await session.arefresh_from_db()
    assert session.title == "Hi"
    counted = metrics.figures()
    assert counted["llm_requests_total"]['{provider="two",outcome="length"}'] >= 1
    assert counted["llm_tokens_total"]['{provider="one",direction="output"}'] >= 2
    assert counted.keys() == metrics.METRICS.keys()


async def test_what_comes_fast_is_joined(connect, student, session, models):
    models(one=[*["word "] * 500, Finished("stop")])
    reader = Reader(await connect(path(session), student))
    _, [answer] = await ask(reader.socket)
    frames = []
    take = reader.take
    reader.take = lambda frame: (frames.append(frame["type"]), take(frame))
    await reader.until_finished(answer)
    assert reader.texts[answer] == "word " * 500
    assert frames.count("message_delta") < 50


async def test_who_comes_in_the_middle_has_it_whole(connect, student, session, models):
    models(one=["one ", "two ", 0.3, "three ", 0.3, "four", Finished("stop")])
    first = Reader(await connect(path(session), student))
    prompt, [answer] = await ask(first.socket)
    await first.until_text(answer, "one two ")
    await first.socket.disconnect()
    readers = {since: Reader(await connect(path(session, since), student)) for since in (None, 0, prompt)}
    for since, late in readers.items():
        await late.until_finished(answer)
        assert late.prompts == ({} if since else {prompt: "Hi"})
        assert late.texts == {answer: "one two three four"}
    await late.socket.send("resume", message_id=answer, offset=4)
    snapshot = await late.socket.receive("message_snapshot")
    assert (snapshot["offset"], snapshot["text"], snapshot["state"]) == (4, "two three four", "finished")
    await late.socket.request("resume", message_id=answer, offset=10**9)
    again = Reader(await connect(path(session, 0), student))
    await again.until_finished(answer)
    assert again.texts == {answer: "one two three four"}
    for since, frame in ((answer, None), (answer + 1, {"asked": answer + 1, "resumed": answer})):
        socket = await connect(path(session, since), student)
        await socket.request("ping")
        gaps = [{k: each[k] for k in frame} for each in socket.unread if each["type"] == "gap"]
        assert gaps == ([frame] if frame else [])


def test_a_session_is_called_as_its_first_prompt_begins():
    assert storage.to_title("Why\n is  it so?") == "Why is it so?"
    assert storage.to_title("为什么" * 30) == "为什么" * 19 + "为什…"
    assert storage.to_title("word " * 30) == "word " * 11 + "word…"


async def test_a_title_stays(connect, student, session, models):
    models(one=["1", Finished("stop")])
    pages = [await connect(path(session), student) for _ in range(2)]
    for page in pages:
        await ask(page, f"Question {pages.index(page)}")
    await session.arefresh_from_db()
    assert session.title == "Question 0"


async def test_stop(connect, student, session, models):
    models(one=["as far ", "as this", LONG, "never", Finished("stop")])
    reader = Reader(await connect(path(session), student))
    _, [answer] = await ask(reader.socket)
    await reader.until_text(answer, "as far as this")
    await reader.socket.request("stop", message_id=answer)
    assert Scripted.closed == 1
    stored = await ChatMessage.objects.aget(pk=answer)
    assert (stored.text, stored.reason, stored.state) == ("as far as this", "stopped", "finished")
    [end] = await reader.until_finished(answer)
    assert end["reason"] == "stopped"
    await reader.socket.request("stop", message_id=answer)
    again = await reader.socket.request("retry", message_id=answer)
    assert again["provider"] == "one"
    assert again["message_id"] > answer
    await reader.socket.request("stop", message_id=again["message_id"])


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (["so ", ProviderError("rate_limited", "Too many ask")], "rate_limited"),
        (["so "], "provider_broke_off"),
        (["so ", TimeoutError()], "provider_timeout"),
        (["so ", ZeroDivisionError()], "internal_error"),
    ],
)
async def test_what_fails_is_said(connect, student, session, models, script, error, caplog):
    models(one=script, two=["fine", Finished("stop")])
    reader = Reader(await connect(path(session), student))
    _, answers = await ask(reader.socket)
    failed, well = await reader.until_finished(*answers)
    assert (failed["reason"], failed["error"], well["reason"]) == ("error", error, "stop")
    assert failed["detail"]
    assert "Zero" not in failed["detail"]
    assert (await ChatMessage.objects.aget(pk=answers[0])).text == "so "
    lines = [record for record in caplog.records if record.name == "assistant"]
    assert len(lines) == (0 if error == "rate_limited" else 1)  # which a provider has logged


async def test_an_answer_may_not_take_for_ever(connect, student, session, models, settings, monkeypatch):
    monkeypatch.setitem(settings.ASSISTANT, "SECONDS", 0.5)
    monkeypatch.setitem(settings.ASSISTANT, "MAX_TOKENS", 2)
    models(one=[LONG], two=["x" * 100, LONG])
    reader = Reader(await connect(path(session), student))
    _, answers = await ask(reader.socket)
    slow, long = await reader.until_finished(*answers)
    assert (slow["error"], long["reason"]) == ("provider_timeout", "length")


async def test_limits(connect, student, session, models, settings):
    models(one=[LONG], two=[LONG], three=[LONG], four=[LONG])
    socket = await connect(path(session), student)
    assert socket.hello["limits"] == {"prompt_chars": 8000, "providers": 3, "concurrent": 3}
    assert socket.hello["default_providers"] == ["one", "two", "three"]

    async def refused(kind="chat_message", **fields):
        await socket.send(kind, **fields)
        return (await socket.receive("error"))["code"]

    assert await refused(message="x" * 8001) == "prompt_too_long"
    assert await refused(message=" ") == "invalid_message"
    assert await refused(message="Hi", providers=[]) == "invalid_message"
    assert await refused(message="Hi", providers=["one", "two", "three", "four"]) == "invalid_message"
    assert await refused(message="Hi", providers=["nobody"]) == "unknown_provider"
    assert await refused("test", message="Hi") == "unknown_type"
    _, answers = await ask(socket, providers=["one", "one", "two"])
    assert len(answers) == 2
    assert await refused(message="Hi", providers=["one", "two"]) == "too_many_answers"
    _, more = await ask(socket, providers=["one"])
    assert await refused("retry", message_id=answers[0]) == "too_many_answers"
    assert await refused("vote", message_id=answers[0]) == "not_allowed"
    for answer in answers + more:
        await socket.request("stop", message_id=answer)
    for kind in ("stop", "retry", "vote", "resume"):
        for id in (0, -1, 10**18, 2**64):
            assert await refused(kind, message_id=id) == "not_found"
    assert await ChatMessage.objects.acount() == 5


async def test_votes(connect, student, session, models):
    models(one=["1", Finished("stop")], two=["2", Finished("stop")])
    reader = Reader(await connect(path(session), student))
    prompt, answers = await ask(reader.socket)
    await reader.until_finished(*answers)
    for answer in (*answers, answers[0]):
        await reader.socket.request("vote", message_id=answer)
        voted = await reader.socket.receive("voted")
        assert voted == {"type": "voted", "message_id": answer, "prompt_id": prompt}
    assert (await connect(path(session), student)).hello["votes"] == [answers[0]]
    with pytest.raises(IntegrityError):
        await ChatMessage.objects.filter(pk=answers[1]).aupdate(vote=True)


async def test_each_is_told_what_it_said_itself(connect, student, session, models, settings, monkeypatch):
    models(one=["1", Finished("stop")], two=["2", Finished("stop")], three=["3", Finished("stop")])
    reader = Reader(await connect(path(session), student))
    for message, providers in (("a", ["one", "two"]), ("b", ["two"]), ("c", ["one", "two", "three"])):
        prompt, answers = await ask(reader.socket, message, providers=providers)
        await reader.until_finished(*answers)
        await reader.socket.request("vote", message_id=answers[0])
    told = {name: "".join(message.text for message in messages) for name, messages in Scripted.asked[-3:]}
    assert told == {"one": "a1b2c", "two": "a2b2c", "three": "a1b2c"}
    assert [message.role for message in Scripted.asked[-1][1]] == ["user", "assistant"] * 2 + ["user"]
    monkeypatch.setitem(settings.ASSISTANT, "HISTORY_CHARS", 3)
    last = await ChatMessage.objects.aget(pk=prompt)
    said = await in_database(storage.read_conversation)(last, "one")
    assert said == [Message("user", "b"), Message("assistant", "2"), Message("user", "c")]


async def test_only_the_owner_comes_in(connect, student, mentor, session):
    assert (await connect(path(session))).code == NOT_AUTHENTICATED
    other = await ChatSession.objects.acreate(owner=mentor)
    for place in (path(session), "/ws/chat/session/0/", f"/ws/chat/session/{10**30}/"):
        socket = await connect(place, mentor)
        assert await socket.close_code() == NOT_FOUND
    own = await connect(path(session), student)
    _, [answer] = await ask(own)
    socket = await connect(path(other), mentor)
    await socket.send("stop", message_id=answer)
    assert (await socket.receive("error"))["code"] == "not_found"
    await session.adelete()
    assert await own.close_code() == NOT_FOUND


async def test_what_a_killed_process_has_left_ends(connect, student, session, settings, monkeypatch):
    monkeypatch.setitem(settings.ASSISTANT, "HEARTBEAT_SECONDS", 0.05)
    prompt = await session.messages.acreate(role="user", text="Hi")
    long_ago = timezone.now() - timedelta(minutes=1)
    lost, live = [
        await session.messages.acreate(
            role="assistant", prompt=prompt, provider="one", state="streaming", heartbeat_at=seen
        )
        for seen in (long_ago, timezone.now())
    ]
    await partials.keep(lost.pk, "as far", 0)
    reader = Reader(await connect(path(session), student))
    [end] = await reader.until_finished(lost.pk)
    assert (end["reason"], reader.texts[lost.pk]) == ("interrupted", "as far")
    await lost.arefresh_from_db()
    await live.arefresh_from_db()
    assert (lost.text, lost.state, live.state) == ("as far", "finished", "streaming")
    assert await partials.read(lost.pk) == ""


async def test_what_another_process_has_finished_ends(
    connect, student, session, models, settings, monkeypatch
):
    monkeypatch.setitem(settings.ASSISTANT, "HEARTBEAT_SECONDS", 0.05)
    models(one=["so ", LONG])
    reader = Reader(await connect(path(session), student))
    _, [answer] = await ask(reader.socket)
    await reader.until_text(answer, "so ")
    fields = {"state": "finished", "reason": "interrupted", "text": "so "}
    await ChatMessage.objects.filter(pk=answer).aupdate(**fields)
    [end] = await reader.until_finished(answer)
    assert end["reason"] == "interrupted"
    assert Scripted.closed == 1


async def test_a_drain_lets_answers_finish(connect, student, session, models, monkeypatch):
    models(one=["quick ", 0.1, "done", Finished("stop")], two=["slow ", LONG])
    reader = Reader(await connect(path(session), student))
    _, (quick, slow) = await ask(reader.socket)
    await reader.until_text(slow, "slow ")
    monkeypatch.setattr(generate, "END_SECONDS", 0.5)
    await drain.drain(2)
    stored = {answer.pk: answer async for answer in ChatMessage.objects.exclude(prompt=None)}
    assert (stored[quick].text, stored[quick].reason) == ("quick done", "stop")
    assert (stored[slow].text, stored[slow].reason) == ("slow ", "interrupted")
    assert get_hub().draining


async def test_who_asks_as_a_drain_begins_is_not_left_waiting(connect, student, session, models, monkeypatch):
    models(one=[LONG])
    reader = Reader(await connect(path(session), student))
    hub, store_prompt = get_hub(), storage.store_prompt

    def store_slowly(*arguments):
        stored = store_prompt(*arguments)
        hub.draining = True
        return stored

    monkeypatch.setattr(storage, "store_prompt", store_slowly)
    _, [answer] = await ask(reader.socket)
    [end] = await reader.until_finished(answer)
    assert end["reason"] == "interrupted"


async def test_a_store_that_is_away_ends_nothing(connect, student, session, models, monkeypatch, caplog):
    models(one=["one ", 0.1, "two", 0.1, Finished("stop")])

    async def away(*arguments):
        raise ConnectionError("away")

    for name in ("keep", "read", "forget"):
        monkeypatch.setattr(partials, name, away)
    reader = Reader(await connect(path(session), student))
    _, [answer] = await ask(reader.socket)
    await reader.until_text(answer, "one ")
    late = Reader(await connect(path(session), student))
    for each in (reader, late):
        await each.until_finished(answer)
        assert each.texts[answer] == "one two"
    assert caplog.text.count("is not kept") == 1


def test_prompts_have_to_fit_into_frames(settings, transactional_db):  # which other checks ask
    def warnings():
        return [found.hint for found in run_checks() if found.id == "assistant.W001"]

    assert not warnings()
    settings.REALTIME = settings.REALTIME | {"MAX_MESSAGE_BYTES": 8000}
    assert "WS_MAX_MESSAGE_BYTES to 32500" in warnings()[0]


def test_the_admin_shows_what_was_said(client, admin, session):
    prompt = session.messages.create(role="user", text="Hi")
    client.force_login(admin)
    for page in ("chatsession/", "chatmessage/", f"chatmessage/{prompt.pk}/change/"):
        assert client.get(f"/admin/assistant/{page}").status_code == 200


def test_the_demo_has_a_session(transactional_db, settings):
    settings.DEBUG = True
    for _ in range(2):
        call_command("createdemo")
    session = ChatSession.objects.get()
    assert [message.state for message in session.messages.all()] == ["finished"] * 3
