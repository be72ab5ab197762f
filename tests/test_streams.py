"""Answers as server-sent events, from each server, through the proxy that a project brings."""

import asyncio
import json
from contextlib import asynccontextmanager, closing

import httpx
import pytest

from client import Person
from polling import until
from proxy import proxied
from services import HOST
from serving import each, running
from variants import DEPLOYED

STREAM = "/api/messages/stream/"
PROMPT = " ".join(f"word{number} ünï🎈" for number in range(500))  # 20 s for the echo to say
QUESTION = {"message": PROMPT, "providers": ["echo"]}
WITHIN = 10  # seconds


@pytest.fixture(scope="module", params=each(DEPLOYED))
def project(request, installed):
    return installed(request.param)


def start(project):
    """Serve it for users who may have one stream open, and one socket."""
    return running(project, FORWARDED_ALLOW_IPS=HOST, WS_MAX_SOCKETS_PER_USER="1")


@pytest.fixture(scope="module")
def server(project):
    with start(project) as server:
        yield server


@pytest.fixture
def student(project, server):
    by = "jwt" if "jwt" in project.variant["auth"] else "session"
    with closing(Person(server.url, "student", by)) as student:
        yield student


def proof(person):
    """Return the headers with which an app or a page says who asks."""
    if person.by == "jwt":
        return {"Authorization": f"Bearer {person.tokens['access']}"}
    cookies = person.browser.cookies
    pairs = "; ".join(f"{name}={cookies[name]}" for name in ("sessionid", "csrftoken"))
    return {"Cookie": pairs, "X-CSRFToken": cookies["csrftoken"]}


class Events:
    """The events of a response, and the text of the answer that they tell."""

    def __init__(self, response, text=""):
        self.status, self.headers = response.status_code, response.headers
        self.lines, self.text, self.id = response.aiter_lines(), text, None

    async def next(self, *names):
        """Return the next event of some names, as (name, data)."""
        fields = {}
        async with asyncio.timeout(WITHIN):
            async for line in self.lines:
                if line and line[0] != ":":
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif not line and "event" in fields:
                    name, data = fields["event"], json.loads(fields["data"])
                    self.id = fields.get("id", self.id)
                    if name == "delta":
                        assert data["offset"] == len(self.text)
                        self.text += data["text"]
                    if name in names:
                        return name, data
                    fields = {}
        raise AssertionError(f"the stream ended before {names}: {self.text[-80:]!r}")

    async def is_over(self):
        async with asyncio.timeout(WITHIN):
            return [line async for line in self.lines if line] == []


@asynccontextmanager
async def opened(person, method, path, *, text="", last=None, **content):
    """Make a request; yield its events, which begin where a text ends that is there already."""
    headers = proof(person) | ({"Last-Event-ID": last} if last else {})
    options = {"json": content} if content else {}
    async with (
        httpx.AsyncClient(base_url=person.url, headers=headers, timeout=WITHIN) as client,
        client.stream(method, path, **options) as response,
    ):
        yield Events(response, text)


async def answers(person, method, path, last=None):
    """Return the status of a request whose stream is left at once."""
    async with opened(person, method, path, last=last) as events:
        return events.status


async def test_an_answer_comes_part_by_part_and_its_stream_ends_with_the_client(project, server, student):
    with proxied(project.folder, [server.port]) as proxy:
        student = student.at(proxy.url)
        async with opened(student, "POST", STREAM, **QUESTION) as first:
            assert first.status == 200
            assert first.headers["content-type"] == "text/event-stream"
            _, started = await first.next("started")
            for _ in range(3):
                await first.next("delta")
            path = f"{STREAM}{started['message_id']}/"
            assert await answers(student, "GET", path) == 429  # the first one is still open
        socket = f"/ws/chat/session/{started['session_id']}/"
        async with student.open(socket) as page:
            await page.frame("connection_established")
            await until_it_may(student, path)
            async with opened(student, "GET", path, text=first.text, last=first.id) as again:
                await again.next("delta")
                await again.next("delta")
                stop = f"/api/messages/{started['message_id']}/stop/"
                assert await answers(student, "POST", stop) == 200
                _, finished = await again.next("finished")
                assert await again.is_over()
            assert await page.frame("message_finished") == finished
            assert finished["reason"] == "stopped"
        assert 0 < len(again.text) == finished["length"] < len(PROMPT)
        assert PROMPT.startswith(again.text)
        assert await answers(student, "GET", path, last=again.id) == 204


async def until_it_may(person, path):
    """Wait until the stream that a client has left is gone, too."""
    for _ in range(20 * WITHIN):
        if await answers(person, "GET", path) == 200:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the server did not notice that the client has left")


async def test_who_streams_from_a_process_that_stops_comes_back_to_another(project, student):
    """Another process writes the answer, if there may be one; else it is interrupted."""
    alone = project.variant["channel_layer"] == "memory"
    with start(project) as one:
        there = student.at(one.url)
        async with opened(there if alone else student, "POST", STREAM, **QUESTION) as asked:
            _, started = await asked.next("started")
        path = f"{STREAM}{started['message_id']}/"
        async with opened(there, "GET", path) as first:
            await first.next("delta")
            await first.next("delta")
            one.terminate()
            _, frame = await first.next("reconnect")
            assert frame["after"] > 0
            assert await first.is_over()
        await until(lambda: one.process.poll() is not None, WITHIN)
    async with opened(student, "GET", path, text=first.text, last=first.id) as again:
        await again.next("delta")
        if not alone:
            await again.next("delta")
            assert await answers(student, "POST", f"/api/messages/{started['message_id']}/stop/") == 200
        _, finished = await again.next("finished")
    expected = "interrupted" if alone else "stopped"
    assert (finished["reason"], finished["length"]) == (expected, len(again.text))
    assert PROMPT.startswith(again.text)
