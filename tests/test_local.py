"""With the in-memory layer, commands reach the sockets of the server, and say so when none runs."""

import asyncio
import os
import signal
import subprocess
from contextlib import ExitStack, closing, contextmanager

import pytest

from client import Person
from conversation import NOTIFICATIONS
from follower import Follower
from offered import OPTIONS
from polling import until
from services import HOST, free_port
from serving import ENVIRONMENT, STARTS_WITHIN, each, running
from variants import first

EACH_SERVER = [first(server=server, channel_layer="memory", auth="session") for server in OPTIONS["server"]]
STUDENT = 3  # the id of a demo user


@pytest.fixture(scope="module", params=each(EACH_SERVER))
def project(request, installed):
    return installed(request.param)


@pytest.fixture(scope="module", params=each(EACH_SERVER[:1]))
def one_project(request, installed):
    return installed(request.param)


def student(server):
    return closing(Person(server.url, "student", "session"))


async def notify(project, message="Hello", fails=False):
    command = ("send_test_notification", "--user-id", str(STUDENT), "--message", message)
    return await asyncio.to_thread(project.manage, *command, fails=fails)


async def heard(socket, message):
    """Wait until a socket has got a notification."""
    while (await socket.frame("notification"))["data"] != {"message": message}:
        pass


async def test_a_command_reaches_the_sockets(project):
    with running(project) as server, student(server) as person:
        async with person.open(NOTIFICATIONS) as socket:
            assert (await socket.frame())["user"]["id"] == STUDENT
            assert "stored and sent" in await notify(project, "to all who are here")
            await heard(socket, "to all who are here")
    output = await notify(project, "to nobody", fails=True)
    assert "no server of this project runs here" in output
    assert "is stored but was not sent" in output
    assert "Traceback" not in output


@contextmanager
def killed(project):
    """Serve a project, and ask it for nothing; when the block ends, it is killed."""
    process = subprocess.Popen(
        [".venv/bin/python", "-m", "serving.server"],
        cwd=project.folder,
        env=ENVIRONMENT | {"HOST": HOST, "PORT": str(free_port())},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def test_a_server_listens_before_anybody_comes_and_replaces_one_that_was_killed(project):
    path = project.folder / "realtime.sock"
    with killed(project):
        await until(path.exists, STARTS_WITHIN)
        await notify(project)
    assert path.exists()
    assert "no server of this project runs here" in await notify(project, fails=True)
    with running(project) as server, student(server) as person:
        async with person.open(NOTIFICATIONS) as socket:
            await notify(project, "after the restart")
            await heard(socket, "after the restart")


async def test_a_server_that_hangs_has_not_taken_it(project):
    with running(project) as server:
        stopped = server.processes()
        for process in stopped:
            process.suspend()
        try:
            assert "is stored but was not sent" in await notify(project, fails=True)
        finally:
            for process in stopped:
                process.resume()
        await notify(project)


async def test_a_second_server_waits_for_its_turn(one_project):
    """Whoever is connected to it lacks what went to the first, and comes back for that."""

    def messages():
        return [frame["data"]["message"] for frame in follower.frames if frame["type"] == "notification"]

    with ExitStack() as before:
        before.enter_context(running(one_project))
        with running(one_project) as server, student(server) as person:
            async with Follower(person, NOTIFICATIONS) as follower:
                assert "another server of this project runs here" in server.output()
                await notify(one_project, "to the first")
                await follower.ping()
                assert "to the first" not in messages()
                before.close()
                await until((one_project.folder / "realtime.sock").exists)
                await notify(one_project, "to the second")
                await follower.until(lambda: messages()[-2:] == ["to the first", "to the second"])


@pytest.mark.parametrize("path", ["/proc/realtime.sock", f"/tmp/{'x' * 108}"])
def test_a_server_that_cannot_listen_says_so_and_serves(path, one_project):
    with running(one_project, REALTIME_SOCKET=path) as server:
        (line,) = [line for line in server.output().splitlines() if "cannot publish" in line]
        assert path in line
        assert "Set REALTIME_SOCKET" in line


FORK = """
import asyncio
import os
from realtime.hub import get_hub
from realtime.publish import flush, publish

def fork():
    if (child := os.fork()) == 0:
        publish("notifications.{}", {{"type": "number", "number": 1}})
        os._exit(0 if flush() else 3)
    return os.waitpid(child, 0)[1]

async def main():
    await get_hub().start()
    assert await asyncio.to_thread(fork) == 0

asyncio.run(main())
"""


async def test_a_forked_process_has_no_sockets_of_its_own(one_project):
    with running(one_project) as server, student(server) as person:
        async with person.open(NOTIFICATIONS) as socket:
            await socket.frame("connection_established")
            await asyncio.to_thread(one_project.manage, "shell", "-v", "0", "-c", FORK.format(STUDENT))
            await socket.frame("number")
