"""The preset chat-arena: made by one command, two workers behind nginx, driven through its story."""

import asyncio
import json
import os
import re
from contextlib import AsyncExitStack, ExitStack, closing
from types import SimpleNamespace

import httpx
import pytest
from playwright.sync_api import expect
from websockets.exceptions import InvalidStatus

from browser import OVERFLOW, expect_state
from client import Person
from hosts import in_production
from polling import until
from proxy import nginx, upstream
from services import HOST
from serving import running
from systems import playing

pytestmark = pytest.mark.xdist_group("chat-arena")

MODELS = ["openai", "anthropic"]
SLOWLY = "fake:slow and at length"  # 200 words, in some four seconds
LONG = "word " * 200
SESSION = """
from accounts.models import User
from assistant.models import ChatSession
users = [User.objects.get(username=name) for name in ("student", "mentor")]
print([ChatSession.objects.create(owner=user).pk for user in users])
"""


@pytest.fixture(scope="module")
def project(system):
    return system("chat-arena")


@pytest.fixture(scope="module")
def models(project):
    """Both models, played by the project's own fake."""
    with playing(project) as variables:
        yield variables


def figures(models):
    """Return what the fake counts: answers that are open, and that were broken off."""
    (url,) = {re.match(r"http://[^/]+", models[f"{name.upper()}_BASE_URL"])[0] for name in MODELS}
    return SimpleNamespace(**httpx.get(f"{url}/stats").json())


def health_of(site):
    return httpx.get(f"{site.url}/api/health/", timeout=30).json()


class Transcript(list):
    """What was said over sockets, with each answer's pieces in one line."""

    def add(self, frame):
        type, id = frame["type"], frame.get("message_id")
        if type == "message_delta":
            if self and self[-1].startswith(f"<- message_delta {id} "):
                self.pop()
            text = f"up to {frame['offset'] + len(frame['text'])} characters"
        else:
            text = json.dumps({key: frame[key] for key in frame.keys() - {"type", "message_id"}})[:100]
        self.append(f"<- {type} {id} {text}")


class Arena:
    """What a page makes of the frames of a session."""

    def __init__(self, transcript):
        self.texts, self.ended, self.transcript = {}, {}, transcript

    async def read(self, talk, enough):
        async with asyncio.timeout(40):
            while not enough():
                self.take(await talk.frame(within=40))

    def take(self, frame):
        self.transcript.add(frame)
        id, had = frame.get("message_id"), self.texts.get(frame.get("message_id"), "")
        if frame.get("offset", len(had) + 1) <= len(had):  # else what is missing comes in a snapshot
            self.texts[id] = max(had, had[: frame["offset"]] + frame["text"], key=len)
        if frame["type"] == "message_finished" or frame.get("state") == "finished":
            self.ended[id] = {"length": len(frame.get("text", ""))} | frame

    def has_whole(self, id):
        return id in self.ended and len(self.texts.get(id, "")) == self.ended[id]["length"]


def visitor(site, name):
    return closing(Person(site.url, name, "session"))


async def ask(talk, message, providers=None):
    fields = {"providers": providers} if providers else {}
    answer = await talk.request("chat_message", message=message, **fields)
    assert answer.get("ok"), answer
    return {each["provider"]: each["message_id"] for each in answer["answers"]}


def events(lines):
    """Return the events of a stream as pairs of a name and what it holds."""
    found = re.findall(r"^event: (\w+)\n(?:id: .*\n)?data: (.+)", "\n".join(lines), re.MULTILINE)
    return [(name, json.loads(data)) for name, data in found]


async def test_its_story(project, models, story, record_property):
    table, transcript = ["two answers side by side, over a socket", ""], Transcript()
    record_property("table", table)
    own, foreign = json.loads(project.manage("shell", "-v", "0", "-c", SESSION).splitlines()[-1])
    path = f"/ws/chat/session/{own}/"
    variables = in_production(project) | models | {"FORWARDED_ALLOW_IPS": HOST}
    with ExitStack() as stack:
        stack.callback(lambda: table.__setitem__(1, "\n".join(transcript)))
        with story("two workers start behind nginx, and are healthy"):
            server = stack.enter_context(running(project, **variables))
            site = stack.enter_context(nginx(project.folder, upstream([server.port])))
            health = health_of(site)
            assert (health["status"], health["container_type"]) == ("healthy", "asgi")
            assert set(health["checks"].values()) == {"ok"}
            assert len(server.processes()) > 2
        student, admin = (stack.enter_context(visitor(site, name)) for name in ("student", "admin"))
        page, other = Arena(transcript), Arena(Transcript())
        async with AsyncExitStack() as sockets:
            watching = await sockets.enter_async_context(student.open(path))
            async with student.open(path) as talk:
                with story("OpenAI and Anthropic are asked at once, and stream side by side"):
                    hello = await talk.frame("connection_established")
                    assert {each["name"] for each in hello["providers"]} >= set(MODELS)
                    transcript.append(f"-> chat_message {SLOWLY!r} to {MODELS}")
                    both = await ask(talk, SLOWLY, MODELS)
                    one, two = both.values()
                    await page.read(talk, lambda: page.texts.keys() >= {one, two})
                    assert not page.ended, "one waited for the other"
                    assert figures(models).open == 2
                with story("a frame that nobody knows is answered"):
                    answer = await talk.request("test", message="Hello")
                    assert (answer["type"], answer["code"]) == ("error", "unknown_type")
                with story("one is stopped: its request is closed, and the other one goes on"):
                    before = figures(models).broken_off
                    transcript.append(f"-> stop {one}")
                    assert (await talk.request("stop", message_id=one))["ok"]
                    await until(lambda: figures(models).broken_off == before + 1, within=5)
                    await page.read(talk, lambda: one in page.ended)
                    assert page.ended[one]["reason"] == "stopped"
                    assert 0 < len(page.texts[one]) < len(LONG)
            with story("the page comes back, to any worker, and has lost nothing"):
                async with student.open(path, since=0) as talk:
                    await page.read(talk, lambda: page.has_whole(two))
                    assert page.texts[two].strip() == LONG.strip()
            with story("another page has read the same, and sees which is the better"):
                await other.read(watching, lambda: other.has_whole(one) and other.has_whole(two))
                assert other.texts == page.texts
                async with student.open(path) as talk:
                    assert (await talk.request("vote", message_id=two))["ok"]
                    assert (await watching.frame("voted"))["message_id"] == two
        with story("the same as server-sent events, part by part through nginx"):
            headers = {"X-CSRFToken": student.browser.cookies["csrftoken"], "Referer": site.url}
            body = {"message": SLOWLY, "session_id": own, "providers": ["openai"]}
            request = ("POST", "/api/messages/stream/")
            with student.browser.stream(*request, json=body, headers=headers) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream"), stream.read()
                lines, coming = [], stream.iter_lines()
                while "event: delta" not in lines:
                    lines.append(next(coming))
                assert figures(models).open == 1, "all came at once"
                lines += coming
            told = events(lines)
            assert told[-1][0] == "finished"
            text = "".join(data["text"] for name, data in told if name == "delta")
            assert text.strip() == LONG.strip()
        with story("what is somebody else's stays theirs"):
            async with student.open(f"/ws/chat/session/{foreign}/") as talk:
                assert await talk.closed() == 4404
            with pytest.raises(InvalidStatus, match="403"):
                await student.open(path, origin="http://evil.example").__aenter__()
        with story("staff see sockets, memory and event loops"):
            assert admin.browser.get("/admin/channels/").status_code == 200
            async with admin.open("/ws/dashboard/") as dashboard:
                figures_of_site = {}
                while "answers_in_24_h" not in figures_of_site:
                    figures_of_site |= (await dashboard.frame(within=30)).get("figures", {})
                assert figures_of_site["answers_in_24_h"] >= 3
        with story("the workers end in the middle of an answer, which is interrupted, and tell its page"):
            async with student.open(path) as talk:
                (last,) = (await ask(talk, "fake:stall", ["anthropic"])).values()
                await page.read(talk, lambda: page.texts.get(last))
                server.terminate()
                assert (await talk.frame("reconnect", within=20))["after"] >= 0
                assert await talk.closed(within=20) == 1012
                await asyncio.to_thread(server.process.wait, 30)
    back = story("they are back, and the answer has the text that it had")
    with back, running(project, **variables) as server, visitor(server, "student") as student:
        async with student.open(path, since=last - 1) as talk:
            await page.read(talk, lambda: last in page.ended)
    assert page.ended[last]["reason"] == "interrupted"
    assert page.texts[last]


@pytest.fixture(scope="module", params=["templates", "react"])
def site(request, system, models):
    """What the page is asked of, by each front end: the models that are played, and no echo."""
    project = system("chat-arena", frontend=request.param)
    with running(project, **models) as server:
        yield project, server


@pytest.mark.browser
def test_its_page(log_in):
    """Two answers at once, on a laptop and on a phone."""
    page = log_in("student")
    page.goto("/assistant/")
    page.get_by_role("button", name="New chat").click()
    expect_state(page, "connected")
    for name in ("openai", "anthropic"):
        page.get_by_role("checkbox", name=name, exact=True).check()
    page.get_by_role("checkbox", name="echo", exact=True).set_checked(False)
    page.get_by_label("Your question").fill(SLOWLY)
    page.get_by_role("button", name="Send").click()
    answers = [page.get_by_role("article", name=f"Answer of {name}", exact=True) for name in MODELS]
    for answer in answers:
        expect(answer.locator(".markdown")).to_contain_text("word word")
    for answer in answers:
        expect(answer).to_have_attribute("data-state", "finished", timeout=30_000)
    if shots := os.environ.get("SHOTS"):
        page.screenshot(path=f"{shots}/chat-arena.png")
    page.set_viewport_size({"width": 390, "height": 780})
    assert page.evaluate(OVERFLOW) == 0
