"""The preset interview-platform: made by one command, kept alive by supervisor, driven through its story."""

import asyncio
import json
from contextlib import ExitStack, closing
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from browser import expect_state, said, say
from client import Person, address, talk
from hosts import in_production
from services import HOST
from serving import Server, free_port, running, started
from test_call import BROWSER_FLAGS, WATCHED, expect_pictures, join, notices  # noqa: F401 (the browser's)
from test_supervisor import BIN, configured

pytestmark = pytest.mark.xdist_group("interview-platform")

LOBBY = "/ws/interview/lobby/"
SHARED = {"USE_INMEMORY_CHANNELS": "false"}
OFFER = {"type": "offer", "sdp": "v=0"}


@pytest.fixture(scope="module")
def project(system):
    return system("interview-platform")


@pytest.fixture(scope="module")
def servers(project):
    """The two processes that supervisor keeps, with what the README has one set in production."""
    port, log = free_port(), project.folder.with_suffix(".supervisor.log")
    values = in_production(project) | SHARED
    with configured(project, port) as config:
        command = [BIN / "supervisord", "--nodaemon", "-c", config]
        with started(command, project.folder, log, port, **values) as supervisor:
            servers = [Server(supervisor.process, each, log) for each in (port, port + 1)]
            for server in servers:
                server.wait_until_healthy()
            yield servers


@pytest.fixture(scope="module")
def site(project, servers):
    """What the pages are asked of, unless told otherwise."""
    return project, servers[0]


def older(person, path=LOBBY):
    """Return where a client connects that is no browser: with the token in the address."""
    return address(person.url, path, token=person.tokens["access"])


def examine(project, server, **environment):
    """Run the doctor, who has to find all well."""
    arguments = ("test_websocket", "--url", server.url, "--room", "lobby")
    said = project.run(".venv/bin/python", "manage.py", *arguments, **environment)
    assert "signals in lobby: ok, admin offered and mentor answered in " in said
    return said


async def test_development_needs_no_redis_and_logs_all_but_tokens(project, story):
    values, away = project.dotenv(), {"REDIS_URL": f"redis://{HOST}:{free_port()}/0"}
    assert (values["PORT"], values["USE_INMEMORY_CHANNELS"]) == ("8001", "true")
    with ExitStack() as stack:
        with story(f"it is made and installed, which takes {project.making:.1f} s; `make run` serves it"):
            server = stack.enter_context(running(project, "run", **away))
        student = Person(server.url, "student", "jwt")
        with story("a client with its token in the address speaks, and hears itself"):
            async with talk(uri=older(student)) as socket:
                assert (await socket.frame())["room_id"] == "lobby"
                await socket.send("chat_message", message="Hello")
                assert (await socket.frame("chat_message"))["message"] == "Hello"
        with story("`manage.py test_websocket --room lobby` finds all well"):
            examine(project, server, **away)
        log = server.output()
        assert " DEBUG daphne" in log
        assert student.tokens["access"] not in log


async def test_clients_of_the_older_kind(servers, project, story):
    student = Person(servers[0].url, "student", "jwt")
    mentor = Person(servers[1].url, "mentor", "session")
    with closing(student), closing(mentor):
        async with talk(uri=older(student)) as one, mentor.open(LOBBY) as two:
            with story("one with a token and one with a session meet, at two processes"):
                hello = await one.frame()
                for greeting in (hello, await two.frame()):
                    assert (greeting["type"], greeting["room_id"]) == ("connection_established", "lobby")
            with story("what one says both get; an offer gets to the other"):
                await one.send("chat_message", message="Hello")
                for socket in (one, two):
                    assert (await socket.frame("chat_message"))["message"] == "Hello"
                await one.send("webrtc_signal", signal=OFFER)
                heard = await two.frame("webrtc_signal")
                assert (heard["signal"], heard["from"]) == (OFFER, hello["user"]["id"])
            with story("a hundred frames a second, and no more"):
                for _ in range(150):
                    await one.send("ping")
                assert (await one.frame("error"))["code"] == "rate_limited"
                assert [frame["type"] for frame in one.unread].count("pong") >= 98  # after those two
        refused = talk(uri=address(student.url, LOBBY, token="another"))
        async with refused as socket:
            assert await socket.closed() == 4401
    with story("`manage.py test_websocket --room lobby` finds all well"):
        await asyncio.to_thread(examine, project, servers[1], **SHARED)


def moment(**later):
    """Return a time as the browser's input takes it."""
    return f"{datetime.now() + timedelta(**later):%Y-%m-%dT%H:%M}"


@pytest.mark.browser
def test_an_interview(servers, log_in, story):
    mentor, admin = log_in("mentor"), log_in("admin")
    student = log_in("student", servers[1])
    for page in (mentor, student, admin):
        page.add_init_script(WATCHED)
    with story("a host opens a room for tomorrow, and invites two"):
        mentor.goto("/rooms/")
        mentor.get_by_label("Name").fill("Interview with Ada")
        mentor.get_by_text("Who may come in, and when").click()
        mentor.get_by_label("By invitation").check()
        mentor.get_by_label("Waiting room").check()
        mentor.get_by_label("Beginning").fill(moment(days=1))
        mentor.get_by_role("button", name="Open").click()
        for name in ("student", "admin"):
            mentor.get_by_label("Username or email").fill(name)
            mentor.get_by_role("button", name="Invite").click()
            expect(mentor.get_by_text(f"{name} is invited.")).to_be_visible()
    with story("a guest sees when it begins"):
        student.goto("/rooms/")
        student.get_by_role("link", name="Interview with Ada").click()
        expect(student.locator(".door")).to_contain_text("This room opens on")
    with story("it begins; the guests wait until the host admits them"):
        mentor.get_by_label("Beginning").fill(moment(minutes=-5))
        mentor.get_by_role("button", name="Save").click()
        mentor.get_by_role("link", name="Go to the room").click()
        expect_state(mentor, "connected")
        room = student.url.removeprefix(servers[1].url)
        for page, name in ((student, "student"), (admin, "admin")):
            page.goto(room)
            expect(page.locator("#hint")).to_contain_text("You come in as soon as you are admitted")
            mentor.get_by_role("button", name=f"Admit {name}").click()
            expect_state(page, "connected")
    with story("three see each other in the call: pictures go on arriving"):
        join(mentor, student, admin)
        expect_pictures(mentor, student, admin)
    with story("they write beside it; a client of the older kind is heard, too"):
        say(student, "Can you see me?")
        expect(said(mentor).last).to_have_text("Can you see me?")
        path = room.replace("/rooms/", "/ws/interview/")
        with connect(older(Person(servers[1].url, "mentor", "jwt"), path), proxy=None) as socket:
            hello = json.loads(socket.recv(timeout=10))
            assert len(hello["call"]) == 3
            assert hello["host"]
            socket.send(json.dumps({"type": "chat_message", "message": "Very well"}))
            expect(said(student).last).to_have_text("Very well")
    with story("the host ends it for all"):
        mentor.on("dialog", lambda dialog: dialog.accept())
        mentor.get_by_role("button", name="End for all").click()
        for page in (mentor, student, admin):
            expect(notices(page)).to_contain_text("The host has ended the call.")
            expect(page.locator(".tile")).to_have_count(0)
