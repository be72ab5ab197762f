"""A consumer of one's own, made as the README of the project says."""

import re
from contextlib import AsyncExitStack, contextmanager

import pytest

from client import Person, address, talk
from services import free_port
from serving import each, running
from variants import first

ALONE = first(server="uvicorn", channel_layer="memory", auth="session")
VARIANTS = [
    *[ALONE | {"frontend": by} for by in ("templates", "react", "none")],
    first(server="uvicorn", channel_layer="redis", auth="session_jwt"),
]


# A routing.py with guests, and with a plain Channels consumer in a router of its own.
OPEN_ROUTES = """\
from channels.generic.websocket import WebsocketConsumer
from channels.routing import URLRouter
from django.urls import path

from polls.consumers import PollsConsumer


class OpenPolls(PollsConsumer):
    guests = True


class Echo(WebsocketConsumer):
    def connect(self):
        self.accept(self.scope["subprotocol"])
        self.send(f"Hello {self.scope['user'].get_username() or 'guest'}")

    def receive(self, text_data):
        self.send(text_data)


websocket_urlpatterns = [
    path("ws/polls/", PollsConsumer.as_asgi()),
    path("ws/open/", URLRouter([path("polls/", OpenPolls.as_asgi()), path("echo/", Echo.as_asgi())])),
]
"""


@pytest.fixture(scope="module", params=each(VARIANTS))
def project(request, installed):
    """A project, its `polls/` made by the command that its README shows, and the line added that it names."""
    project = installed(request.param)
    readme = (project.folder / "README.md").read_text(encoding="utf-8")
    project.readme = readme.partition("\n## A consumer of your own\n")[2].partition("\n## ")[0]
    project.printed = project.run(*re.search(r"```\n(\S+ manage.py .+)\n```", project.readme)[1].split())
    name, setting, path = re.search(r'Add `"(.+)"` to `(\w+)` in `(.+?)`', project.readme).groups()
    with added(project, name, setting=setting, path=path):
        yield project


@contextmanager
def added(project, *names, setting="INSTALLED_APPS", path="config/settings.py"):
    """Add apps that are there to the settings; in the end remove them, with what they have elsewhere."""
    settings = project.folder / path
    before = settings.read_text(encoding="utf-8")
    lines = "".join(f'    "{name}",\n' for name in names)
    settings.write_text(re.sub(rf"({setting} = \[\n)", rf"\1{lines}", before), encoding="utf-8")
    build(project)
    try:
        yield
    finally:
        settings.write_text(before, encoding="utf-8")
        folders = [project.folder / parent / name for name in names for parent in ("", "frontend/src")]
        project.run("rm", "-r", *(folder for folder in folders if folder.exists()))
        build(project)


def build(project):
    if (project.folder / "frontend").exists():
        project.make("build")


def test_the_command_says_what_is_next_as_the_readme_does(project):
    address = "/ws/polls/" if project.variant.get("frontend") == "none" else "/polls/"
    for step in ('"polls"', "INSTALLED_APPS", "config/settings.py", "make test ARGS=polls", address):
        assert step in project.printed
        assert step in project.readme


def test_the_readme_shows_what_is_written(project):
    shown = re.findall(r"```python\n# (\S+)\n(.+?)```", project.readme, re.DOTALL)
    assert {path for path, _ in shown} == {"polls/frames.py", "polls/consumers.py"}
    if (project.folder / "frontend").exists():
        guide = (project.folder / "frontend/README.md").read_text(encoding="utf-8")
        (of_page,) = re.findall(r"```ts\n// (\S+)\n(.+?)```", guide, re.DOTALL)
        shown.append((f"frontend/{of_page[0]}", of_page[1]))
    for path, text in shown:
        assert (project.folder / path).read_text(encoding="utf-8") == text


def test_its_tests_pass_and_those_of_the_core_too(project):
    """Those of other apps do not see it: no app knows of another, and only these collect from all."""
    of_pages = 1 if (project.folder / "polls/views.py").exists() else 0
    assert f"{3 + of_pages} passed" in project.make("test", "ARGS=polls")
    if project.variant == VARIANTS[0]:
        project.make("test", "ARGS=realtime accounts config")
    if (project.folder / "frontend").exists():
        assert "src/polls/posts.test.ts" in project.make("test-frontend")


async def test_it_is_served(project):
    with running(project) as server:
        student, mentor = [Person(server.url, name, "session") for name in ("student", "mentor")]
        page = student.browser.get("/polls/")
        assert page.status_code == (200 if (project.folder / "polls/urls.py").exists() else 404)
        for address in re.findall(r'src="(\S+\.js)"', page.text):
            assert student.browser.get(address).status_code == 200
        async with student.open("/ws/polls/") as one, mentor.open("/ws/polls/") as other:
            assert (await one.request("post", text="Hello"))["ok"]
            for talk in (one, other):
                frame = await talk.frame("posted")
                assert (frame["text"], frame["user"]["username"]) == ("Hello", "student")
        document = student.browser.get("/api/asyncapi.json").json()
        assert document["channels"]["PollsConsumer"]["address"] == "/ws/polls/"
        assert {"polls.Post", "polls.Posted"} <= document["components"]["messages"].keys()
        for person in (student, mentor):
            person.close()


@pytest.fixture
def open_routes(project):
    routing = project.folder / "polls/routing.py"
    before = routing.read_text(encoding="utf-8")
    routing.write_text(OPEN_ROUTES, encoding="utf-8")
    yield
    routing.write_text(before, encoding="utf-8")


def guest(server, path, client, **query):
    """Open a WebSocket without a login, from an address that a proxy names."""
    return talk(uri=address(server.url, path, **query), additional_headers={"X-Forwarded-For": client})


async def test_guests_come_in_and_are_counted_by_address(project, open_routes):
    proxied = {"FORWARDED_ALLOW_IPS": "127.0.0.1", "WS_MAX_SOCKETS_PER_ADDRESS": "2"}
    with running(project, **proxied) as server:
        student = Person(server.url, "student", "session")
        async with AsyncExitStack() as stack:
            user = await stack.enter_async_context(student.open("/ws/polls/"))
            clients = ["192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2", "192.0.2.2"]
            for number, client in enumerate(clients):
                one = await stack.enter_async_context(guest(server, "/ws/open/polls/", client))
                assert (await one.frame())["user"] == {"id": None, "username": ""}
                assert (await one.request("post", text=str(number)))["ok"]
                posted = await user.frame("posted")
                assert (posted["text"], posted["user"]["id"]) == (str(number), None)
            refused = [
                (guest(server, "/ws/open/polls/", "192.0.2.1"), 4429),
                (guest(server, "/ws/open/polls/", "2001:db8::3"), 4429),
                (guest(server, "/ws/open/polls/", "192.0.2.3", ticket="used"), 4401),
                (guest(server, "/ws/polls/", "192.0.2.3"), 4401),
            ]
            for opening, code in refused:
                async with opening as one:
                    assert await one.closed() == code
        student.close()


async def test_a_plain_consumer_is_served(project, open_routes):
    with running(project) as server:
        student = Person(server.url, "student", "session")
        path = "/ws/open/echo/"
        for opening, name in ((student.open(path), "student"), (guest(server, path, ""), "guest")):
            async with opening as plain:
                assert await plain.socket.recv() == f"Hello {name}"
                await plain.socket.send("no JSON")
                assert await plain.socket.recv() == "no JSON"
        student.close()


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("Polls", "use lower-case letters"),
        ("my-polls", "use lower-case letters"),
        ("a" * 26, "25 characters at most"),
        ("class", "'class' is a keyword of Python; choose another name, for example my_class."),
        ("json", "'json' is a Python module; choose another name"),
        ("auth", "'auth' is an installed app; choose another name"),
        ("polls", "polls/ exists already; choose another name"),
        ("static", "static/ exists already; choose another name"),
    ],
)
def test_a_bad_name_is_refused_in_one_line(project, name, cure):
    line, end, rest = project.manage("startconsumer", name, fails=True).partition("\n")
    assert cure in line
    assert (end, rest) == ("\n", "")


def test_whatever_its_name_the_code_is_clean(project):
    names = ("zebra", "my_polls", "a" * 25)
    for name in names:
        project.manage("startconsumer", name)
    with added(project, *names):
        project.make("lint")


def test_a_route_that_nobody_reaches_keeps_the_server_from_starting(project):
    routing = project.folder / "polls/routing.py"
    before = routing.read_text(encoding="utf-8")
    route = re.search(r"^    path\(.+\n", before, re.MULTILINE)[0]
    routing.write_text(before.replace(route, route * 2), encoding="utf-8")
    try:
        expected = "the WebSocket route 'ws/polls/' of PollsConsumer"
        assert f"realtime.E006) Nobody reaches {expected}" in project.manage("check", fails=True)
        serve = (".venv/bin/python", "-m", "serving.server")
        (line,) = project.run(*serve, PORT=str(free_port()), fails=True).splitlines()
        assert f"Nobody reaches {expected}" in line
    finally:
        routing.write_text(before, encoding="utf-8")
