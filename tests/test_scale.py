"""Several processes are one site: what is said, limited or ended in one of them holds in all."""

import re
from contextlib import AsyncExitStack, closing
from types import SimpleNamespace

import psutil
import pytest

from client import Person
from conversation import ENDS_WITHIN, NOTIFICATIONS, converse, drains, new_room, people
from serving import each, running
from variants import BOOTED

SHARED = [v for v in BOOTED if (v["channel_layer"], v["auth"]) == ("redis", "session")]
WITH_WORKERS = [v for v in SHARED if v["server"] in ("uvicorn", "gunicorn", "granian")]
ALONE = [v for v in BOOTED if v["channel_layer"] == "memory" and v["auth"] == "session"]
ALONE += [v for v in SHARED if v not in WITH_WORKERS]


@pytest.fixture(scope="module", params=each(SHARED))
def twice(request, installed):
    """A project served by two processes; who was lost with a process is missed after 3 seconds, not 45."""
    project = installed(request.param)
    presence = project.folder / "rooms/presence_redis.py"
    before = presence.read_text(encoding="utf-8")
    quick = re.sub(r"^LOST_SECONDS = \d+", "LOST_SECONDS = 3", before, flags=re.MULTILINE)
    quick = re.sub(r"^CONFIRM_SECONDS = \d+", "CONFIRM_SECONDS = 1", quick, flags=re.MULTILINE)
    presence.write_text(quick, encoding="utf-8")
    allowance = {"WS_USER_RATE": "40/hour"}
    try:
        with running(project, **allowance) as one, running(project, **allowance) as other:
            yield SimpleNamespace(project=project, one=one, other=other)
    finally:
        presence.write_text(before, encoding="utf-8")


async def test_people_at_two_processes_share_a_room(twice):
    student, mentor = people(twice.one.url, twice.project.variant)
    with closing(student), closing(mentor):
        student_there, mentor_there = student.at(twice.other.url), mentor.at(twice.other.url)
        room = new_room(student)
        async with student.open(room) as one:
            await one.frame("connection_established")
            async with AsyncExitStack() as stack:
                tab = await stack.enter_async_context(student_there.open(room))
                assert len((await tab.frame("connection_established"))["present"]) == 1
                other = await stack.enter_async_context(mentor_there.open(room))
                hello = await other.frame("connection_established")
                assert {user["username"] for user in hello["present"]} == {"student", "mentor"}
                assert (await one.frame("presence"))["event"] == "join"
                await one.request("chat_message", message="Over there?")
                assert (await other.frame("chat_message"))["message"] == "Over there?"
                await one.request("webrtc_signal", to=hello["user"]["id"], signal={"sdp": "offer"})
                assert (await other.frame("webrtc_signal"))["signal"] == {"sdp": "offer"}
            assert await one.frame("presence") == left(hello["user"])
            assert "presence" not in [frame["type"] for frame in one.unread]  # a second tab is no news

        async with student.open(NOTIFICATIONS) as one, student_there.open(NOTIFICATIONS) as other:
            for socket in (one, other):
                await socket.frame("connection_established")
            student_there.post("/notifications/test/")
            told = [await socket.frame("notification") for socket in (one, other)]
            assert told[0] == told[1]
            student.post("/accounts/logout/")
            assert [await socket.closed(within=1) for socket in (one, other)] == [4401, 4401]


async def test_more_processes_give_no_larger_allowance(twice):
    with closing(Person(twice.one.url, "admin", "session")) as admin:
        async with admin.open(NOTIFICATIONS) as here, admin.at(twice.other.url).open(NOTIFICATIONS) as there:
            answers = [await socket.request("ping") for _ in range(25) for socket in (here, there)]
        assert [answer.get("code", "ok") for answer in answers] == ["ok"] * 40 + ["rate_limited"] * 10


async def test_a_process_that_is_killed_leaves_nobody_behind(twice):
    student, mentor = people(twice.one.url, twice.project.variant)
    with closing(student), closing(mentor):
        room = new_room(student)
        async with student.open(room) as one, AsyncExitStack() as stack:
            await one.frame("connection_established")
            other = await stack.enter_async_context(mentor.at(twice.other.url).open(room))
            user = (await other.frame("connection_established"))["user"]
            assert (await one.frame("presence"))["event"] == "join"
            for process in twice.other.processes():
                process.kill()
            assert await one.frame("presence", within=10) == left(user)
            async with student.open(room) as late:
                present = (await late.frame("connection_established"))["present"]
                assert [user["username"] for user in present] == ["student"]


def left(user):
    return {"type": "presence", "event": "leave", "user": user}


@pytest.mark.parametrize("variant", each(WITH_WORKERS))
async def test_a_server_with_two_workers_is_one_site(variant, installed):
    with running(installed(variant), WEB_CONCURRENCY="2") as server:
        assert len(server.processes()) > 2
        await converse(server.url, variant)
        await drains(server, variant)


@pytest.mark.parametrize("variant", each(WITH_WORKERS))
def test_workers_end_with_the_process_that_started_them(variant, installed):
    """Nobody else would stop them, and they would keep the port from the next start."""
    with running(installed(variant), WEB_CONCURRENCY="2") as server:
        main, *others = server.processes()
        main.kill()
        assert not psutil.wait_procs(others, timeout=ENDS_WITHIN)[1]


@pytest.mark.parametrize("variant", each(ALONE))
def test_workers_that_would_not_hear_each_other_are_refused(variant, installed):
    command = (".venv/bin/python", "-m", "serving.server")
    refusal = installed(variant).run(*command, fails=True, WEB_CONCURRENCY="2")
    assert refusal.startswith("WEB_CONCURRENCY is wrong. It must be 1")
    assert refusal.count("\n") == 1
