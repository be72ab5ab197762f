"""A consumer of one's own, made as the README of the project says."""

import re

import pytest

from client import Person
from services import free_port
from serving import each, running
from variants import first

VARIANTS = [
    first(server="uvicorn", channel_layer="memory", auth="session"),
    first(server="uvicorn", channel_layer="redis", auth="session_jwt"),
]


@pytest.fixture(scope="module", params=each(VARIANTS))
def project(request, installed):
    """A project, its `polls/` made by the command that its README shows, and the line added that it names."""
    project = installed(request.param)
    settings = project.folder / "config/settings.py"
    before = settings.read_text(encoding="utf-8")
    readme = (project.folder / "README.md").read_text(encoding="utf-8")
    project.readme = readme.partition("\n## A consumer of your own\n")[2].partition("\n## ")[0]
    project.printed = project.run(*re.search(r"```\n(\S+ manage.py .+)\n```", project.readme)[1].split())
    name, setting, path = re.search(r'Add `(".+")` to `(\w+)` in `(.+?)`', project.readme).groups()
    assert project.folder / path == settings
    settings.write_text(re.sub(rf"({setting} = \[\n)", rf"\1    {name},\n", before), encoding="utf-8")
    yield project
    settings.write_text(before, encoding="utf-8")
    project.run("rm", "-r", "polls")


def test_the_command_says_what_is_next_as_the_readme_does(project):
    for step in ('"polls"', "INSTALLED_APPS", "config/settings.py", "make test ARGS=polls", "/polls/"):
        assert step in project.printed
        assert step in project.readme


def test_the_readme_shows_what_is_written(project):
    shown = re.findall(r"```python\n# (\S+)\n(.+?)```", project.readme, re.DOTALL)
    assert {path for path, _ in shown} == {"polls/frames.py", "polls/consumers.py"}
    for path, text in shown:
        assert (project.folder / path).read_text(encoding="utf-8") == text


def test_its_tests_pass_and_all_others_too(project):
    assert "4 passed" in project.make("test", "ARGS=polls")
    project.make("test")
    project.make("lint")


async def test_it_is_served(project):
    with running(project) as server:
        student, mentor = [Person(server.url, name, "session") for name in ("student", "mentor")]
        assert '<a href="/polls/">Polls</a>' in student.browser.get("/").text
        page = student.browser.get("/polls/")
        assert page.status_code == 200
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


@pytest.mark.parametrize("name", ["zebra", "my_polls", "a" * 25])
def test_whatever_its_name_the_code_is_clean(project, name):
    project.manage("startconsumer", name)
    try:
        project.make("lint")
    finally:
        project.run("rm", "-r", name)


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
