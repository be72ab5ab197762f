"""With USE_INMEMORY_CHANNELS a project that is made for Redis does without one, and is held to the same."""

import asyncio
import subprocess
from contextlib import AsyncExitStack, closing
from xml.etree import ElementTree

import httpx
import pytest

from client import Person
from conversation import NOTIFICATIONS, converse, drains, new_room, people
from services import HOST, free_port
from serving import ENVIRONMENT, each, running
from variants import first

VARIANTS = [
    first(server="uvicorn", channel_layer="redis", auth="session"),
    first(server="granian", channel_layer="redis_queue", auth="session_jwt"),
]
ONE, QUEUE = each(VARIANTS)
IN_MEMORY = {"USE_INMEMORY_CHANNELS": "true", "WS_USER_RATE": "40/hour"}


@pytest.fixture(scope="module", params=each(VARIANTS))
def served(request, installed):
    """A project, and the server of it, which has no Redis."""
    project = installed(request.param)
    before = project.dotenv()
    project.set(REDIS_URL=f"redis://{HOST}:{free_port()}/0", **IN_MEMORY)
    try:
        with running(project) as server:
            yield project, server
    finally:
        project.write_env(before)


def test_health_has_nothing_to_say(served):
    checks = httpx.get(f"{served[1].url}/api/health/", timeout=10).json()["checks"]
    assert checks == {"database": "ok", "cache": "ok", "channels": "ok"}


async def test_people_talk_and_are_seen(served):
    project, server = served
    await converse(server.url, project.variant)
    student, mentor = people(server.url, project.variant)
    with closing(student), closing(mentor):
        room = new_room(student)
        async with student.open(room) as one:
            await one.frame("connection_established")
            async with mentor.open(room) as two:
                me = (await two.frame("connection_established"))["user"]
                assert await one.frame() == {"type": "presence", "event": "join", "user": me}
                await one.request("webrtc_signal", to=me["id"], signal={"sdp": "offer"})
                assert (await two.frame("webrtc_signal"))["signal"] == {"sdp": "offer"}
                said = [(await one.request("chat_message", message=text))["message_id"] for text in "abc"]
            assert await one.frame("presence") == {"type": "presence", "event": "leave", "user": me}
            async with mentor.open(room, since=said[0]) as two:
                assert [(await two.frame("chat_message"))["message"] for _ in "bc"] == ["b", "c"]


async def test_an_event_from_another_process_arrives(served):
    project, server = served
    with closing(Person(server.url, "admin", "session")) as admin:
        async with admin.open(NOTIFICATIONS) as socket:
            me = (await socket.frame("connection_established"))["user"]["id"]
            command = ("send_test_notification", "--user-id", str(me), "--message", "from afar")
            assert "stored and sent" in await asyncio.to_thread(project.manage, *command)
            while (await socket.frame("notification"))["data"] != {"message": "from afar"}:
                pass  # those of other tests come first


async def test_a_user_has_one_allowance_and_a_logout_ends_all_sockets(served):
    _, server = served
    with closing(Person(server.url, "admin", "session")) as admin:
        async with AsyncExitStack() as stack:
            one, two = [await stack.enter_async_context(admin.open(NOTIFICATIONS)) for _ in range(2)]
            for _ in range(20):
                await one.ping()
            for _ in range(25):
                await two.send("ping")
            assert (await two.frame("error"))["code"] == "rate_limited"
            assert admin.post("/accounts/logout/").status_code in (200, 302)
            assert [await socket.closed() for socket in (one, two)] == [4401, 4401]


@pytest.mark.parametrize("variant", [ONE, QUEUE])
async def test_clients_are_told_of_the_end(variant, installed):
    project = installed(variant)
    with running(project, **IN_MEMORY) as server:
        assert await drains(server, variant) < 10
        assert "maxScale" not in server.output()


@pytest.mark.parametrize("variant", [ONE])
def test_where_instances_come_and_go_the_log_says_that_one_is_the_most(variant, installed):
    with running(installed(variant), K_SERVICE="site", **IN_MEMORY) as server:
        assert server.output().count("one instance of this service may run (maxScale 1)") == 1


@pytest.mark.parametrize("variant", [ONE, QUEUE])
def test_a_second_worker_is_refused_in_a_line(variant, installed):
    done = subprocess.run(
        [".venv/bin/python", "-m", "serving.server"],
        cwd=installed(variant).folder,
        env=ENVIRONMENT | IN_MEMORY | {"WEB_CONCURRENCY": "2"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done
    assert "only false with WEB_CONCURRENCY over 1: memory reaches the sockets of one process" in done.stderr


@pytest.mark.parametrize("variant", [QUEUE])
def test_the_project_s_own_tests_need_no_redis(variant, installed):
    project = installed(variant)
    report = project.folder.with_suffix(".xml")
    away = f"redis://{HOST}:{free_port()}/0"
    print(project.make("test", f"ARGS=--junit-xml={report}", REDIS_URL=away, USE_INMEMORY_CHANNELS="true"))
    assert ElementTree.parse(report).find("testsuite").attrib["skipped"] == "0"
