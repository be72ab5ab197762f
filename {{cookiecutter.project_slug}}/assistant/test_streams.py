"""Answers as server-sent events, through the whole application."""

import asyncio
import json
from functools import cached_property

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import get_default_application
from django.middleware.gzip import GZipMiddleware
from django.test import RequestFactory

from assistant import generate, sse, views_stream
from assistant.models import ChatMessage, ChatSession
from conftest import HOST, TIMEOUT
from integrations.llm.provider import Finished
from realtime.auth import AUTHENTICATORS
from realtime.auth_session import SessionAuthenticator
from realtime.drain import drain
from realtime.hub import get_hub
from realtime.publish import apublish, kick
from serving import event_streams

STREAM = "/api/messages/stream/"
WORDS = ["One", " two", "  drei ", "vier 🎈", "\n\n", "and so on"]
TEXT = "".join(WORDS)
LONG = 60  # seconds that no test waits for
CSRF = "s" * 32
LOGINS = [each for each in AUTHENTICATORS if hasattr(each, "log_in")]  # a session, a token


class Exchange(ApplicationCommunicator):
    """A request, and its answer, of which `buffer` parts are taken before any is read; 0: any number."""

    def __init__(self, method, path, body, headers, buffer):
        headers = {"host": HOST, "content-type": "application/json"} | headers
        head = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "http_version": "1.1", "method": method, "path": path, "query_string": b""}
        super().__init__(get_default_application(), scope | {"headers": head, "client": ("127.0.0.1", 0)})
        self.body, self.buffer = body, buffer

    @cached_property
    def output_queue(self):
        return asyncio.Queue(self.buffer)

    async def open(self):
        await self.send_input({"type": "http.request", "body": self.body})
        start = await self.receive_output(TIMEOUT)
        self.status = start["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return self

    async def part(self):
        """Return the next part, or None at the end."""
        message = await self.receive_output(TIMEOUT)
        return message["body"].decode() if message.get("more_body") else None

    async def json(self):
        return json.loads((await self.receive_output(TIMEOUT))["body"])

    async def event(self, *names):
        """Return the next event, or the next of some names, as (name, id, data); None at the end."""
        while (part := await self.part()) is not None:
            fields = dict(line.split(": ", 1) for line in part.split("\n") if line and line[0] != ":")
            if "event" in fields and (not names or fields["event"] in names):
                return fields["event"], fields.get("id"), json.loads(fields["data"])
        return None

    async def all(self):
        """Return all events until the end."""
        events = []
        while event := await self.event():
            events.append(event)
        return events

    async def leave(self):
        await self.send_input({"type": "http.disconnect"})
        await self.wait(TIMEOUT)


@pytest.fixture
async def request_as(transactional_db):
    """Return a function that makes a request as a user, by default with a session, or as a guest."""
    exchanges = []

    async def request_as(user, method, path, content=b"", *, by=None, buffer=0, **headers):
        if user:
            headers |= await sync_to_async((by or SessionAuthenticator()).log_in)(user)
        headers = {name.lower().replace("_", "-"): value for name, value in headers.items()}
        if "cookie" in headers:
            headers = {"x-csrftoken": CSRF, **headers, "cookie": f"{headers['cookie']}; csrftoken={CSRF}"}
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        exchange = Exchange(method, path, body, headers, buffer)
        exchanges.append(exchange)
        return await exchange.open()

    yield request_as
    for exchange in exchanges:
        if not exchange.future.done():
            await exchange.leave()


@pytest.fixture(autouse=True)
def models(settings):
    """Return a function that says which providers there are, and what they do."""

    def models(**scripts):
        kind = "assistant.tests.Scripted"
        settings.CHAT_MODELS = {name: {"class": kind, "script": script} for name, script in scripts.items()}

    models(one=[*WORDS, Finished("stop")])
    return models


@pytest.fixture
def ask(request_as, student):
    """Return a function that has the student ask, and returns the exchange."""

    async def ask(message="Say something", **options):
        fields = {name: options.pop(name) for name in ("session_id", "providers") if name in options}
        return await request_as(student, "POST", STREAM, {"message": message, **fields}, **options)

    return ask


def text_of(events, answer):
    """Join the text of an answer, of which there must be no gap and nothing twice."""
    text = ""
    for name, _, data in events:
        if name == "delta" and data["message_id"] == answer:
            assert data["offset"] == len(text)
            text += data["text"]
    return text


async def until(condition):
    for _ in range(100 * TIMEOUT):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{condition.__name__}: not so within {TIMEOUT} s")


def nobody_streams():
    return not get_hub().sockets.subscriptions and not views_stream.streams


async def test_an_answer_comes_as_it_is_stored(ask, models):
    models(one=[*(each for word in WORDS for each in (word, 0.06)), Finished("stop")])
    stream = await ask()
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream"
    assert stream.headers["cache-control"] == "no-store"
    assert stream.headers["x-accel-buffering"] == "no"
    events = await stream.all()
    answer = await ChatMessage.objects.aget(role="assistant")
    assert (answer.text, text_of(events, answer.pk)) == (TEXT, TEXT)
    assert [events[0][0], events[-1][0]] == ["started", "finished"]
    assert {name for name, *_ in events[1:-1]} == {"delta"}
    assert len(events) > 4
    assert [id for _, id, _ in events[-2:]] == [f"{answer.pk}:{len(TEXT)}", f"{answer.pk}:end"]
    started, finished = events[0][2], events[-1][2]
    assert (started["session_id"], started["prompt_id"]) == (answer.session_id, answer.prompt_id)
    assert (finished["reason"], finished["length"]) == ("stop", len(TEXT))
    await until(nobody_streams)


async def test_a_stream_tells_what_the_socket_tells(ask, connect, student, models):
    models(one=[*(each for word in WORDS for each in (word, 0.06)), Finished("stop")])
    session = await ChatSession.objects.acreate(owner=student)
    socket = await connect(f"/ws/chat/session/{session.pk}/", student)
    events = await (await ask(session_id=session.pk)).all()
    answer, text = events[0][2]["message_id"], ""
    while "finished" not in (frame := await socket.receive("message_delta", "message_finished"))["type"]:
        text += frame["text"]
    assert text_of(events, answer) == text == TEXT
    assert events[-1][2] == frame


async def test_answers_of_several_come_on_one_stream(ask, request_as, student, models):
    models(one=[*WORDS, Finished("stop")], other=["Hm", Finished("length")])
    events = await (await ask(providers=["one", "other"])).all()
    ids = {data["provider"]: data["message_id"] for name, _, data in events if name == "started"}
    assert [text_of(events, ids[name]) for name in ("one", "other")] == [TEXT, "Hm"]
    assert events[-1][1] == f"{ids['one']}:end,{ids['other']}:end"
    prompt = events[0][2]["prompt_id"]
    again = await request_as(student, "GET", f"{STREAM}{prompt}/", last_event_id=f"{ids['one']}:4")
    rest = await again.all()
    assert [data["text"] for name, _, data in rest if name == "delta"] == [TEXT[4:], "Hm"]


async def test_who_comes_back_gets_the_rest(ask, request_as, student, models):
    models(one=["One", 0.1, " two", LONG])
    stream = await ask()
    _, id, delta = await stream.event("delta")
    await stream.leave()
    path = f"{STREAM}{delta['message_id']}/"
    again = await request_as(student, "GET", path, last_event_id=id)
    text = delta["text"]
    while text != "One two":
        _, _, more = await again.event("delta")
        assert more["offset"] == len(text)
        text += more["text"]
    stopped = await request_as(student, "POST", f"/api/messages/{delta['message_id']}/stop/")
    assert (stopped.status, await stopped.json()) == (200, {"message_id": delta["message_id"]})
    _, id, finished = await again.event("finished")
    assert (finished["reason"], finished["length"]) == ("stopped", len(text))
    assert (await request_as(student, "GET", path, last_event_id=id)).status == 204
    whole = await (await request_as(student, "GET", path)).all()
    assert [name for name, *_ in whole] == ["started", "delta", "finished"]
    assert text_of(whole, delta["message_id"]) == text


@pytest.mark.parametrize("by", LOGINS, ids=lambda by: type(by).__name__)
async def test_a_browser_has_a_session_and_an_app_a_token(by, ask):
    events = await (await ask(by=by)).all()
    assert text_of(events, events[0][2]["message_id"]) == TEXT


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x_csrftoken": "another"}, 403),
        ({"authorization": "Bearer nonsense"}, 401),
        ({"cookie": "sessionid=nonsense"}, 401),
    ],
)
async def test_a_forged_proof_asks_nothing(headers, status, request_as, student):
    user = None if "cookie" in headers else student
    answer = await request_as(user, "POST", STREAM, {"message": "Hello"}, **headers)
    assert answer.status == status
    assert set(await answer.json()) == {"code", "detail"}
    assert not await ChatSession.objects.aexists()


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "invalid_message"),
        ({"message": 1}, 400, "invalid_message"),
        ({"message": " "}, 400, "invalid_message"),
        ({"message": "x" * 10_000}, 400, "prompt_too_long"),
        ({"message": "x" * 3 * 2**20}, 413, "too_big"),
        ({"message": "Hello", "providers": ["nobody"]}, 400, "unknown_provider"),
        ({"message": "Hello", "session_id": 2**70}, 404, "not_found"),
    ],
)
async def test_what_cannot_be_asked_is_refused_and_leaves_nothing(content, status, code, request_as, student):
    answer = await request_as(student, "POST", STREAM, content)
    assert (answer.status, (await answer.json())["code"]) == (status, code)
    assert not await ChatSession.objects.aexists()


async def test_what_others_said_is_not_found(ask, request_as, mentor):
    started = (await (await ask()).all())[0][2]
    for method, path in (
        ("GET", f"{STREAM}{started['message_id']}/"),
        ("GET", f"{STREAM}{started['prompt_id']}/"),
        ("GET", f"{STREAM}{2**63}/"),
        ("POST", f"/api/messages/{started['message_id']}/stop/"),
    ):
        assert (await request_as(mentor, method, path)).status == 404
    content = {"message": "Hello", "session_id": started["session_id"]}
    assert (await request_as(mentor, "POST", STREAM, content)).status == 404
    assert (await request_as(mentor, "DELETE", STREAM)).status == 405
    assert (await request_as(None, "POST", STREAM, content)).status == 401


async def test_an_id_that_is_none_is_refused(ask, request_as, student):
    id = (await (await ask()).all())[0][2]["message_id"]
    assert (await request_as(student, "GET", f"{STREAM}{id}/", last_event_id="half")).status == 400


async def test_a_client_that_leaves_ends_its_stream_and_not_the_answer(ask, models):
    models(one=["One", 0.2, " two", Finished("stop")])
    stream = await ask()
    await stream.event("delta")
    assert not nobody_streams()
    await stream.leave()
    await until(nobody_streams)
    answer = await ChatMessage.objects.aget(role="assistant")
    async with asyncio.timeout(TIMEOUT):
        while answer.state == "streaming":
            await answer.arefresh_from_db()
    assert (answer.text, answer.reason) == ("One two", "stop")


async def test_a_client_that_does_not_read_ends_its_stream(ask, models, monkeypatch, caplog):
    monkeypatch.setattr(event_streams, "PATIENCE", 0.1)
    models(one=[*(each for _ in range(9) for each in ("word ", 0.05)), LONG])
    await ask(buffer=1)
    await until(nobody_streams)
    assert "does not read the events" in caplog.text


async def test_a_drain_has_the_client_come_back(ask, models):
    models(one=["One", LONG])
    stream = await ask()
    await stream.event("delta")
    draining = asyncio.create_task(drain(timeout=2))
    name, id, frame = await stream.event("reconnect", "finished")
    assert (name, id, frame["type"]) == ("reconnect", None, "reconnect")
    assert frame["after"] > 0
    assert await stream.event() is None
    assert (await ask()).status == 503
    await draining


async def test_a_stream_is_never_silent_for_long_and_notices_what_nobody_said(ask, models, monkeypatch):
    monkeypatch.setattr(sse, "QUIET_SECONDS", 0.05)
    models(one=["One", LONG])
    stream = await ask()
    await stream.event("delta")
    while not (await stream.part()).startswith(":"):
        pass
    answers = ChatMessage.objects.filter(role="assistant")
    await answers.aupdate(state="finished", reason="interrupted", text="One!")
    events = await stream.all()
    assert [name for name, *_ in events] == ["delta", "finished"]
    assert (events[0][2]["text"], events[1][2]["reason"]) == ("!", "interrupted")


async def test_others_that_talk_do_not_make_a_stream_silent(ask, request_as, student, models, monkeypatch):
    models(one=["One", LONG], other=[*(each for _ in range(2000) for each in ("word ", 0.02)), LONG])
    stream = await ask(providers=["one", "other"])
    while (started := (await stream.event("started"))[2])["provider"] != "one":
        pass
    monkeypatch.setattr(sse, "QUIET_SECONDS", 0.2)
    one = await request_as(student, "GET", f"{STREAM}{started['message_id']}/")
    while not (await one.part()).startswith(":"):
        pass


async def test_what_was_lost_on_its_way_is_made_up_for(ask, models, monkeypatch):
    async def lose_a_delta(group, frame):
        if getattr(frame, "offset", 0) != len("One"):
            await apublish(group, frame)

    monkeypatch.setattr(generate, "apublish", lose_a_delta)
    models(one=["One", 0.1, " two", 0.1, " three", Finished("stop")])
    events = await (await ask()).all()
    assert text_of(events, events[0][2]["message_id"]) == "One two three"


async def test_who_subscribes_in_vain_begins_anew(ask, models):
    models(one=["One", 0.2, " two", Finished("stop")])
    stream = await ask()
    first = await stream.event("started")
    get_hub().watch.missed_events()
    events = await stream.all()
    assert text_of(events, first[2]["message_id"]) == "One two"
    assert "started" not in {name for name, *_ in events}


async def test_a_session_that_is_deleted_ends_its_streams(ask, models, monkeypatch):
    monkeypatch.setattr(sse, "QUIET_SECONDS", 0.05)
    models(one=["One", LONG])
    stream = await ask()
    await stream.event("delta")
    await ChatSession.objects.all().adelete()
    assert (await stream.event())[2]["code"] == "not_found"
    assert await stream.event() is None


async def test_a_stream_ends_with_the_login(ask, models, student, monkeypatch):
    monkeypatch.setattr(sse, "QUIET_SECONDS", 0.05)
    models(one=["One", LONG])
    stream = await ask()
    await stream.event("delta")
    await sync_to_async(kick)(student.pk, "Log in again")
    assert await stream.event() is None
    await until(nobody_streams)


async def test_streams_of_a_user_have_a_limit(ask, models, settings):
    settings.REALTIME = settings.REALTIME | {"MAX_SOCKETS_PER_USER": 1}
    models(one=["One", LONG])
    await ask()
    refused = await ask()
    assert (refused.status, (await refused.json())["code"]) == (429, "too_many")


def test_the_wsgi_server_says_that_it_cannot(client, student):
    client.force_login(student)
    answer = client.post(STREAM, {"message": "Hello"}, content_type="application/json")
    assert answer.status_code == 501
    assert "ASGI" in answer.json()["detail"]


async def test_compression_leaves_it_alone():
    """That of older versions of Django holds events back."""
    request = RequestFactory().get(STREAM, headers={"Accept-Encoding": "gzip"})
    stream = views_stream.EventStream(views_stream.counted(None, None))
    assert GZipMiddleware(lambda request: stream)(request).headers["Content-Encoding"] == "identity"
