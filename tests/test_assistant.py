"""Answers that stream over two processes: they outlive sockets, stop when asked, end with their process."""

import asyncio
import json
import signal
import time
from contextlib import ExitStack, closing
from types import SimpleNamespace

import pytest
from websockets.exceptions import WebSocketException

from client import Person
from follower import CUT, NOT_FOUND
from polling import PAUSE
from serving import each, running
from variants import first

SHARED = [first(server="uvicorn", channel_layer="redis", auth="session_jwt")]
ALONE = [first(server="uvicorn", channel_layer="memory", auth="session_jwt")]
TOO_BIG = 1009

# The site with less patience, and a model whose request says when it was closed.
HASTY = """
from config.settings import *

ASSISTANT = ASSISTANT | {"HEARTBEAT_SECONDS": 0.3, "LOST_SECONDS": 5}
CHAT_MODELS["echo_slowly"]["pause"] = 0.06
CHAT_MODELS["endless"] = {"class": "endless.Endless"}
"""
ENDLESS = """
import asyncio
import time
from pathlib import Path

class Endless:
    def __init__(self, name):
        self.name, self.model = name, "endless"

    async def stream(self, messages, *, max_tokens):
        try:
            for number in range(10_000):
                yield f"{number} "
                await asyncio.sleep(0.02)
        finally:
            Path(__file__).with_name("closed").write_text(str(time.time()))
"""
SESSIONS = """
import json
from accounts.models import User
from assistant.models import ChatSession
users = [User.objects.get(username=name) for name in ("student", "mentor")]
print(json.dumps([ChatSession.objects.create(owner=user).pk for user in users for _ in range(8)]))
"""
WORDS = " ".join(f"word-{number}" for number in range(60))


def added(project):
    """Where modules are that are no part of the project, which other tests have, too."""
    return project.folder.with_suffix(".added")


def made(project):
    """Return a function that makes a new session of the student, and one that is the mentor's."""
    folder = added(project)
    folder.mkdir(exist_ok=True)
    (folder / "hasty.py").write_text(HASTY)
    (folder / "endless.py").write_text(ENDLESS)
    ids = json.loads(project.manage("shell", "-v", "0", "-c", SESSIONS).splitlines()[-1])
    return map(place, ids[:8]), place(ids[8])


def place(session_id):
    return f"/ws/chat/session/{session_id}/"


def serve(project):
    return running(project, DJANGO_SETTINGS_MODULE="hasty", PYTHONPATH=str(added(project)))


@pytest.fixture(scope="module", params=each(SHARED))
def site(request, installed):
    """A project served by two processes, with the student at each."""
    project = installed(request.param)
    sessions, foreign = made(project)
    with (
        serve(project) as one,
        serve(project) as other,
        closing(Person(one.url, "student", "session")) as here,
    ):
        yield SimpleNamespace(
            project=project,
            sessions=sessions,
            foreign=foreign,
            here=here,
            there=here.at(other.url),
            closed=added(project) / "closed",
        )


class Page:
    """What a page keeps of a session. It drops what it has, and what comes before an answer's snapshot."""

    def __init__(self):
        self.texts, self.ended, self.kinds = {}, {}, []

    async def read(self, talk, until, within=20):
        """Take frames until the condition holds."""
        async with asyncio.timeout(within):
            while not until():
                self.take(await talk.frame(within=within))

    def take(self, frame):
        id, had = frame.get("message_id"), self.texts.get(frame.get("message_id"), "")
        self.kinds.append(frame["type"])
        if frame["type"] in ("message_snapshot", "message_delta") and frame["offset"] <= len(had):
            text = had[: frame["offset"]] + frame["text"]
            assert text.startswith(had) or had.startswith(text)
            self.texts[id] = max(had, text, key=len)
        if frame["type"] == "message_finished" or frame.get("state") == "finished":
            self.ended[id] = frame

    def whole(self, *ids):
        def is_whole(id):
            end = self.ended.get(id)
            return end and len(self.texts.get(id, "")) == end.get("length", len(self.texts.get(id, "")))

        return lambda: all(map(is_whole, ids))


async def ask(talk, message=WORDS, **fields):
    reply = await talk.request("chat_message", message=message, **fields)
    assert reply.get("ok"), reply
    return [answer["message_id"] for answer in reply["answers"]]


async def test_two_models_answer_at_once_and_a_page_that_moves_has_it_whole(site):
    path, page, watching = next(site.sessions), Page(), Page()
    async with site.there.open(path) as watcher:
        async with site.here.open(path) as talk:
            hello = await talk.frame("connection_established")
            assert [each["name"] for each in hello["providers"]] == ["echo", "echo_slowly", "endless"]
            ids = quick, slow = await ask(talk, providers=["echo", "echo_slowly"])
            await page.read(talk, lambda: page.texts.get(slow))
        for person, words in ((site.there, 5), (site.here, 15)):
            async with person.open(path, since=quick - 1) as talk:
                await page.read(talk, lambda: len(page.texts[slow].split()) >= words)  # noqa: B023
        async with site.there.open(path, since=quick - 1) as talk:
            await page.read(talk, page.whole(*ids))
        await watching.read(watcher, watching.whole(*ids))
    fresh = Page()
    async with site.here.open(path, since=0) as talk:
        await fresh.read(talk, fresh.whole(*ids))
    assert page.texts == watching.texts == fresh.texts == {quick: WORDS, slow: WORDS}
    first, second = page.ended[quick], page.ended[slow]
    assert (first["reason"], second["reason"], first["usage"]["output_tokens"]) == ("stop", "stop", 60)
    assert first["ms"]["total"] < second["ms"]["total"] < 20_000
    assert watching.kinds.count("message_delta") < 120  # joined, at least when the machine is slow


async def test_stop_reaches_the_process_that_generates(site):
    path, page = next(site.sessions), Page()
    site.closed.unlink(missing_ok=True)
    async with site.here.open(path) as talk, site.there.open(path) as other:
        (id,) = await ask(talk, providers=["endless"])
        await page.read(other, lambda: "20 " in page.texts.get(id, ""))
        asked = time.time()
        assert (await other.request("stop", message_id=id))["ok"]
        answered = time.time()
        assert asked < float(site.closed.read_text()) < answered
        await page.read(other, page.whole(id))
        assert page.ended[id]["reason"] == "stopped"
        print(f"closed upstream after {(float(site.closed.read_text()) - asked) * 1000:.0f} ms")
        assert page.texts[id].split() == [str(number) for number in range(len(page.texts[id].split()))]
        again = await other.request("retry", message_id=id)
        assert (await talk.request("stop", message_id=again["message_id"]))["ok"]


async def test_limits_hold_across_processes(site):
    path, mine = next(site.sessions), next(site.sessions)
    async with site.here.open(path) as talk, site.there.open(mine) as other:
        ids = await ask(talk, providers=["endless"]) + await ask(talk, providers=["endless", "echo_slowly"])
        refusal = await other.request("chat_message", message="Hi", providers=["echo"])
        assert (refusal["type"], refusal["code"]) == ("error", "too_many_answers")
        for id in ids:
            assert (await talk.request("stop", message_id=id))["ok"]
        assert (await other.request("stop", message_id=ids[0]))["code"] == "not_found"  # of another session
        await ask(other, "Hi", providers=["echo"])
        await talk.send("test", message="Hi")
        assert (await talk.frame("error"))["code"] == "unknown_type"
        refusal = await talk.request("chat_message", message="x" * 10_000)
        assert refusal["code"] == "prompt_too_long"
        await talk.send("chat_message", message="x" * 2**20)
        assert await talk.closed() in (TOO_BIG, CUT)
    async with site.here.open(site.foreign) as talk:
        assert await talk.closed() == NOT_FOUND


async def test_redis_that_hangs_ends_nothing(site, valkey):
    path = next(site.sessions)
    async with site.here.open(path) as talk:
        (id,) = await ask(talk, providers=["echo_slowly"])
        await talk.frame("message_delta")
        valkey.stop()
        await asyncio.sleep(2.5)  # longer than a heartbeat may be late
        valkey.go_on()
    page = Page()

    async def come_back():
        async with site.there.open(path, since=id - 1) as talk:
            await page.read(talk, page.whole(id))

    await eventually(come_back)
    assert (page.texts[id], page.ended[id]["reason"]) == (WORDS, "stop")


async def eventually(function, within=20):
    """Call an async function until it does not fail."""
    deadline = time.monotonic() + within
    while True:
        try:
            return await function()
        except (AssertionError, OSError, WebSocketException):
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(PAUSE)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
async def test_a_process_that_ends_leaves_nothing_that_streams(site, sent):
    """Killed, others finish its answers; told to end, it lets those finish that can."""
    path, page = next(site.sessions), Page()
    with ExitStack() as stack:
        server = stack.enter_context(serve(site.project))
        async with site.there.open(path) as watcher, site.here.at(server.url).open(path) as talk:
            echo = "echo_slowly" if sent == signal.SIGKILL else "echo"  # which is at it, or is soon done
            quick, endless = await ask(talk, providers=[echo, "endless"])
            await page.read(watcher, lambda: "20 " in page.texts.get(endless, ""))
            for process in server.processes():
                process.send_signal(sent)
            await page.read(watcher, page.whole(quick, endless))
    ended = [page.ended[id]["reason"] for id in (quick, endless)]
    assert ended == ["interrupted" if sent == signal.SIGKILL else "stop", "interrupted"]
    assert WORDS.startswith(page.texts[quick])
    assert page.ended[endless]["length"] == len(page.texts[endless])
    fresh = Page()
    async with site.here.open(path, since=0) as talk:
        await fresh.read(talk, fresh.whole(quick, endless))
    assert fresh.texts == page.texts


@pytest.mark.parametrize("variant", each(ALONE))
async def test_one_process_needs_no_redis(variant, installed):
    project = installed(variant)
    (path, *_), _ = made(project)
    page, after = Page(), Page()
    with ExitStack() as stack, serve(project) as server:
        student = stack.enter_context(closing(Person(server.url, "student", "session")))
        async with student.open(path) as talk:
            (id,) = await ask(talk, providers=["echo_slowly"])
            await page.read(talk, lambda: page.texts.get(id))
        async with student.open(path) as talk:
            await page.read(talk, page.whole(id))
            assert page.texts[id] == WORDS
            (endless,) = await ask(talk, providers=["endless"])
            await page.read(talk, lambda: page.texts.get(endless))
        for process in server.processes():
            process.kill()
        again = stack.enter_context(serve(project))
        async with student.at(again.url).open(path, since=0) as talk:
            await after.read(talk, after.whole(id, endless))
    assert (after.texts[id], after.ended[endless]["reason"]) == (WORDS, "interrupted")
