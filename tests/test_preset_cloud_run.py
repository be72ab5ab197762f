"""The preset cloud-run: made by one command, run as Cloud Run would run it, driven through its story."""

import asyncio
from contextlib import ExitStack, closing

import pytest
import yaml
from playwright.sync_api import expect

from browser import LOBBY, NOTIFICATIONS, go_live, said, say
from client import Person
from conversation import converse, drains, new_room, people
from services import HOST, free_port
from serving import running

NOTIFICATIONS_SOCKET = "/ws/notifications/"
TOGETHER = pytest.mark.xdist_group("cloud-run")


@pytest.fixture(
    scope="module", params=[pytest.param(server, marks=TOGETHER) for server in ("uvicorn", "daphne")]
)
def project(request, system):
    """The preset's project as it comes, and with Daphne."""
    return system("cloud-run", server=request.param)


@pytest.fixture(scope="module")
def site(system):
    """What the pages are asked of, as its developer runs it."""
    project = system("cloud-run")
    with running(project, "serve") as server:
        yield project, server


def container(project, file="service.yaml"):
    """Return the command and the variables of a container in deploy/cloudrun, with the secrets of `.env`."""
    template = yaml.safe_load((project.folder / "deploy/cloudrun" / file).read_text())["spec"]["template"]
    if file == "migrate.yaml":
        template = template["spec"]["template"]
    (container,) = template["spec"]["containers"]
    secrets = project.dotenv()
    variables = {each["name"]: each.get("value") or secrets[each["name"]] for each in container["env"]}
    return [*container.get("command", ()), *container.get("args", ())], variables, container


def instance(project, **more):
    """Run what the image does, with the variables of the service, and the port that Cloud Run names."""
    _, variables, told = container(project)
    assert told["ports"] == [{"containerPort": 8080}]
    *_, line = (project.folder / "Dockerfile").read_text().splitlines()
    assert line == 'CMD ["python", "-m", "serving.server"]'
    here = {"DEBUG": "false", "ALLOWED_HOSTS": HOST, "FORWARDED_ALLOW_IPS": HOST, "HTTPS": "false"}
    return running(project, command=[".venv/bin/python", "-m", "serving.server"], **variables | here | more)


async def test_its_story(project, story):
    with story("the job migrates, and makes the first user"):
        command, variables, _ = container(project, "migrate.yaml")
        project.run(".venv/bin/python", *command[1:], **variables, DEBUG="false")
        command = ["createsuperuser", "--noinput", "--username", "owner", "--email", "owner@example.com"]
        variables["DJANGO_SUPERUSER_PASSWORD"] = "one-for-tests"
        project.run(".venv/bin/python", "manage.py", *command, **variables)
        # As the image has it.
        project.run(".venv/bin/python", "manage.py", "collectstatic", "--noinput", DEBUG="false")

    with ExitStack() as stack:
        with story("two instances start, and are healthy"):
            one, two = [stack.enter_context(instance(project)) for _ in range(2)]
        assert "maxScale" not in one.output()
        with story("people log in, talk in a room, and are notified"):
            await converse(one.url, project.variant)
        student, mentor = map(stack.enter_context, map(closing, people(one.url, project.variant)))
        mentor = mentor.at(two.url)
        room = new_room(student)
        async with mentor.open(room) as there:
            await there.frame("connection_established")
            async with student.open(room) as here:
                with story("people at two instances meet"):
                    assert len((await here.frame("connection_established"))["present"]) == 2
                    last = (await here.request("chat_message", message="Which one are you at?"))["message_id"]
                    assert (await there.frame("chat_message"))["message_id"] == last
                with story("an instance that is needed no more ends, and tells its sockets"):
                    one.terminate()
                    assert (await here.frame("reconnect"))["type"] == "reconnect"
                    assert await here.closed() == (4012 if project.variant["server"] == "daphne" else 1012)
                    await asyncio.to_thread(one.process.wait, 10)
            await there.request("chat_message", message="Are you still there?")
            with story("whoever comes back at the other one has missed nothing"):
                async with student.at(two.url).open(room, since=last) as here:
                    assert (await here.frame("chat_message"))["message"] == "Are you still there?"
        with story("a job notifies somebody"), closing(Person(two.url, "admin", "session")) as person:
            async with person.open(NOTIFICATIONS_SOCKET) as own:
                me = (await own.frame("connection_established"))["user"]["id"]
                job = ("send_test_notification", "--user-id", str(me), "--message", "from a job")
                await asyncio.to_thread(project.manage, *job)
                assert (await own.frame("notification"))["data"] == {"message": "from a job"}


async def test_one_instance_does_without_redis(project, story):
    """And says at its start that it has to be the only one."""
    away = {"REDIS_URL": f"redis://{HOST}:{free_port()}/0", "K_SERVICE": "site"}
    alone = instance(project, USE_INMEMORY_CHANNELS="true", **away)
    with story("one instance serves without Redis"), alone as server:
        await converse(server.url, project.variant)
        assert server.output().count("(maxScale 1)") == 1
        assert await drains(server, project.variant) < 10


def test_development_speaks_asgi(project):
    """With Daphne by `runserver`, too."""
    commands = ["-m serving.server --reload"]
    if project.variant["server"] == "daphne":
        commands.append("manage.py runserver --noreload {port}")
    for command in commands:
        port = free_port()
        line = [".venv/bin/python", *command.format(port=f"{HOST}:{port}").split()]
        with running(project, command=line, port=port) as server:
            asyncio.run(converse(server.url, project.variant))


@TOGETHER
@pytest.mark.browser
def test_two_windows(site, log_in):
    student, mentor = log_in("student"), log_in("mentor")
    go_live(student, LOBBY)
    go_live(mentor, LOBBY)
    say(student, "It runs on Cloud Run")
    expect(said(mentor).last).to_have_text("It runs on Cloud Run")
    go_live(student, NOTIFICATIONS)
    site[0].manage("send_test_notification", "--user-id", "3", "--message", "From a job")
    expect(student.get_by_text("From a job").first).to_be_visible()
