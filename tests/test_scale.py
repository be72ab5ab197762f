"""Several processes are one site: what is said, limited or ended in one of them holds in all."""

import re
from contextlib import AsyncExitStack, closing, contextmanager

import pytest

from conversation import NOTIFICATIONS, converse, drains, new_room, people
from serving import each, running
from variants import BOOTED

SHARED = [v for v in BOOTED if (v["channel_layer"], v["auth"]) == ("redis", "session")]
WITH_WORKERS = [v for v in SHARED if v["server"] in ("uvicorn", "gunicorn", "granian")]
ALONE = [v for v in BOOTED if v["channel_layer"] == "memory" and v["auth"] == "session"]
ALONE += [v for v in SHARED if v not in WITH_WORKERS]


def left(user):
    return {"type": "presence", "event": "leave", "user": user}


@contextmanager
def two_processes(project, **environment):
    """Serve a project twice; yield both servers, and student and mentor at the first, and at the second."""
    with running(project, **environment) as one, running(project, **environment) as other:
        student, mentor = people(one.url, project.variant)
        with closing(student), closing(mentor):
            yield one, other, (student, mentor), (student.at(other.url), mentor.at(other.url))


@pytest.mark.parametrize("variant", each(SHARED))
async def test_people_at_two_processes_share_a_room(variant, installed):
    with two_processes(installed(variant)) as (_, _, (student, _), (student_there, mentor_there)):
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
                me = hello["user"]["id"]
                await one.request("webrtc_signal", to=me, signal={"sdp": "offer"})
                assert (await other.frame("webrtc_signal"))["signal"] == {"sdp": "offer"}
            assert await one.frame("presence") == {
                "type": "presence",
                "event": "leave",
                "user": hello["user"],
            }
            assert not [
                frame for frame in one.unread if frame["type"] == "presence"
            ]  # a second tab is no news

        async with student.open(NOTIFICATIONS) as one, student_there.open(NOTIFICATIONS) as other:
            for socket in (one, other):
                await socket.frame("connection_established")
            student_there.post("/notifications/test/")
            told = [await socket.frame("notification") for socket in (one, other)]
            assert told[0] == told[1]
            student.post("/accounts/logout/")
            assert [await socket.closed(within=1) for socket in (one, other)] == [4401, 4401]


@pytest.mark.parametrize("variant", each(SHARED))
async def test_more_processes_give_no_larger_allowance(variant, installed):
    with two_processes(installed(variant), WS_USER_RATE="30/hour") as (_, _, (one, _), (other, other_user)):
        async with one.open(NOTIFICATIONS) as here, other.open(NOTIFICATIONS) as there:
            answers = [await socket.request("ping") for _ in range(20) for socket in (here, there)]
        assert [answer.get("code", "ok") for answer in answers] == ["ok"] * 30 + ["rate_limited"] * 10
        async with other_user.open(NOTIFICATIONS) as socket:
            assert (await socket.request("ping"))["ok"]


@pytest.mark.parametrize("variant", each(SHARED))
async def test_a_process_that_is_killed_leaves_nobody_behind(variant, installed):
    """The others find out by themselves, here after 3 seconds instead of 45."""
    project = installed(variant)
    presence = project.folder / "realtime/presence.py"
    before = presence.read_text(encoding="utf-8")
    quick = re.sub(r"^LOST_SECONDS = \d+", "LOST_SECONDS = 3", before, flags=re.MULTILINE)
    quick = re.sub(r"^CONFIRM_SECONDS = \d+", "CONFIRM_SECONDS = 1", quick, flags=re.MULTILINE)
    presence.write_text(quick, encoding="utf-8")
    try:
        with two_processes(project) as (_, doomed, (student, _), (_, mentor_there)):
            room = new_room(student)
            async with student.open(room) as one:
                await one.frame("connection_established")
                async with mentor_there.open(room) as other:
                    mentor = (await other.frame("connection_established"))["user"]
                    assert (await one.frame("presence"))["event"] == "join"
                    for process in doomed.processes():
                        process.kill()
                    assert await one.frame("presence", within=10) == left(mentor)
                async with student.open(room) as late:
                    present = (await late.frame("connection_established"))["present"]
                    assert [user["username"] for user in present] == ["student"]
    finally:
        presence.write_text(before, encoding="utf-8")


@pytest.mark.parametrize("variant", each(WITH_WORKERS))
async def test_a_server_with_two_workers_is_one_site(variant, installed):
    with running(installed(variant), WEB_CONCURRENCY="2") as server:
        assert len(server.processes()) > 2
        await converse(server.url, variant)
        await drains(server, variant)


@pytest.mark.parametrize("variant", each(ALONE))
def test_workers_that_would_not_hear_each_other_are_refused(variant, installed):
    refusal = installed(variant).run(
        ".venv/bin/python", "-m", "config.server", fails=True, WEB_CONCURRENCY="2"
    )
    assert refusal.startswith("WEB_CONCURRENCY is wrong. It must be 1")
    assert refusal.count("\n") == 1
