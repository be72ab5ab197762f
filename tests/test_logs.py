"""The log of each server: with LOG_FORMAT=json every line is an object, and says what it is about."""

import json
import shutil
from contextlib import closing, contextmanager

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from client import Person, address, talk
from offered import OPTIONS
from polling import until
from serving import each, running
from variants import first

SERVERS = [
    first(server="uvicorn", channel_layer="memory", auth="session"),
    first(server="daphne", channel_layer="redis", auth="session_jwt"),
    first(server="hypercorn", channel_layer="redis", auth="jwt"),
    first(server="gunicorn", channel_layer="redis_queue", auth="session"),
    first(server="granian", channel_layer="memory", auth="jwt"),
]
assert {variant["server"] for variant in SERVERS} == set(OPTIONS["server"])
OWN_LOGGER = {
    "uvicorn": "uvicorn.error",
    "daphne": "daphne.server",
    "hypercorn": "hypercorn.error",
    "gunicorn": "gunicorn.error",
    "granian": "_granian",
}

# An app that says much, as its owner might write it.
APP = {
    "__init__.py": "",
    "settings.py": """
from config.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "noisy"]
""",
    "apps.py": """
from django.apps import AppConfig


class NoisyConfig(AppConfig):
    name = "noisy"
    url_prefix = "noisy/"
""",
    "urls.py": """
import logging
import threading
import warnings

from django.urls import path


def fail(request):
    str(request.user)
    logging.getLogger("noisy").info("said\\n%s\\ud800", request.GET["text"], extra={"order": 7, "odd": [1]})
    warnings.warn("not so\\nloud")
    threading.Thread(target=divmod, args=(1, 0)).start()
    raise ValueError("one\\ntwo")


urlpatterns = [path("", fail)]
""",
    "routing.py": """
import logging

from channels.layers import get_channel_layer
from django.urls import path
from realtime.consumer import RealtimeConsumer
from realtime.frames import ClientFrame


class Say(ClientFrame, tag="say"):
    text: str


class NoisyConsumer(RealtimeConsumer):
    groups = ("noisy",)

    async def say(self, frame: Say):
        logging.getLogger("noisy").info("heard %s", frame.text)
        await get_channel_layer().group_send("noisy", {"type": "noisy.heard"})

    async def noisy_heard(self, event):
        raise KeyError("an event")


websocket_urlpatterns = [path("ws/noisy/", NoisyConsumer.as_asgi())]
""",
}


@pytest.fixture(scope="module", params=each(SERVERS))
def served(request, installed):
    """A project whose server logs JSON."""
    project = installed(request.param)
    with noisy(project, LOG_FORMAT="json") as server:
        yield project, server


@contextmanager
def noisy(project, **environment):
    folder = project.folder / "noisy"
    is_own = not folder.exists()  # else `served` has it, of the same project
    folder.mkdir(exist_ok=True)
    for name, text in APP.items():
        (folder / name).write_text(text, encoding="utf-8")
    try:
        with running(project, DJANGO_SETTINGS_MODULE="noisy.settings", **environment) as server:
            yield server
    finally:
        if is_own:
            shutil.rmtree(folder)


def make_requests(url, browser):
    failing = {"params": {"text": "\x85sesame\x1b[2J"}, "headers": {"X-Request-ID": "from.proxy-1"}}
    answer = browser.get(f"{url}/noisy/", **failing)
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "from.proxy-1")
    missing = f"{url}/no%0Asuch%0D\u2028page/?ticket=open-sesame"
    answer = browser.get(missing, headers={"X-Request-ID": "a b"})
    assert answer.status_code == 404
    assert answer.headers["x-request-id"].isalnum()
    return answer.headers["x-request-id"]


async def make_noise(server, variant):
    """A page that fails, an odd request, sockets that work, one that is refused; return the id of one."""
    by = "jwt" if variant["auth"] == "jwt" else "session"
    with closing(Person(server.url, "student", by)) as student:
        other = make_requests(server.url, httpx if by == "jwt" else student.browser)
        async with student.open("/ws/noisy/") as one, student.open("/ws/noisy/") as two:
            for socket in (one, two):
                await socket.frame("connection_established")
            await one.send("say", text="hello\nworld")
            await until(lambda: server.output().count("KeyError") > 1)
        async with talk(uri=address(server.url, "/ws/noisy/", token="open-sesame")) as stranger:
            assert await stranger.closed() == 4401
        await until(lambda: server.output().count("NoisyConsumer closed with") == 3)
    return other


def test_the_doctor_finds_every_server_well(served):
    """With each kind of login, and each channel layer; test_doctor.py has what may be wrong."""
    project, server = served
    has_tasks = project.variant["tasks"] == "celery"  # for which no worker has been started
    said = project.manage("test_websocket", "--url", server.url, fails=has_tasks)
    told = dict(line.split(": ", 1) for line in said.splitlines())
    well = {name for name, words in told.items() if words.startswith("ok")}
    assert len(well) == 9 + ("assistant" in project.variant["consumers"]), said
    assert told.keys() - well == ({"worker", "CommandError"} if has_tasks else set()), said


async def test_every_line_is_an_object_and_says_what_it_is_about(served):
    project, server = served
    variant = project.variant
    other = await make_noise(server, variant)
    text = server.output()
    lines = [json.loads(line) for line in text.splitlines()]
    assert text.isascii()
    assert "open-sesame" not in text
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)

    def find(logger, **fields):
        return [line for line in lines if line["logger"] == logger and fields.items() <= line.items()]

    assert find(OWN_LOGGER[variant["server"]], level="INFO")
    of_request = {"request": "from.proxy-1", "path": "/noisy/"}
    (said,) = find("noisy", order=7, **of_request)
    assert said["message"] == "said\n\x85sesame\x1b[2J\\ud800"
    assert "odd" not in said
    assert [line["message"].count("not so\nloud") for line in find("py.warnings", **of_request)] == [1]
    (failed,) = find("django.request", level="ERROR", **of_request)
    assert "ValueError: one\ntwo" in failed["exception"]
    (answered,) = find("access", status=500, method="GET", address="127.0.0.1", **of_request)
    assert 0 < answered["duration"] < 10
    assert find("access", status=404, request=other, path="/no\nsuch\r\u2028page/")
    assert "ZeroDivisionError" in find("uncaught", level="CRITICAL")[0]["exception"]
    if variant["auth"] != "jwt":
        assert said["user"] == failed["user"] == answered["user"]

    opened = find("realtime.sockets", path="/ws/noisy/", consumer="NoisyConsumer")
    code = 1006 if variant["server"] == "hypercorn" else 1000  # it does not pass on what a client says
    assert [line.get("code") for line in opened] == [None, None, code, code, 4401]
    assert all(line["duration"] < 10 for line in opened[2:])
    sockets = {line["socket"] for line in opened[:2]}
    assert {line["socket"] for line in opened[2:4]} == sockets
    assert len({line["socket"] for line in opened}) == 3
    (heard,) = find("noisy", message="heard hello\nworld")
    assert heard["socket"] in sockets
    failures = [line for line in find("realtime", level="ERROR") if "KeyError" in line["exception"]]
    assert {line["socket"] for line in failures} == sockets
    assert {line["user"] for line in [*failures, heard, *opened[:4]]} == {heard["user"]}
    assert "user" not in opened[4]


@pytest.mark.parametrize("variant", each(SERVERS[:1]))
def test_as_text_nothing_makes_a_line_of_its_own(variant, installed):
    with noisy(installed(variant), LOG_SOCKETS="false") as server:
        httpx.get(f"{server.url}/no%0A2026-01-01%20INFO%20forged:%1B[2J")
        httpx.get(f"{server.url}/noisy/", params={"text": "a\r\n2026 INFO forged: b"})
        with connect(f"{server.url.replace('http', 'ws')}/ws/noisy/", proxy=None) as socket:
            with pytest.raises(ConnectionClosed) as end:
                socket.recv()
            assert end.value.rcvd.code == 4401
    lines = server.output().splitlines()
    starts = [line for line in lines if not line.startswith("  ")]
    assert not [line for line in starts if "forged" in line.split(": ")[0]]
    assert any("/no\\n2026-01-01 INFO forged:\\x1b[2J 404 in " in line for line in starts)
    assert "  ValueError: one" in lines
    assert "  two" in lines
    assert "/ws/noisy/" not in server.output()
