"""The preset async-judge: made by one command, run by ASGI, WSGI and workers, driven through its story."""

import asyncio
import json
import os
import re
from contextlib import ExitStack, closing

import httpx
import pytest
from playwright.sync_api import expect

from browser import OVERFLOW, expect_state
from client import Person
from hosts import in_production
from proxy import MAIN, nginx
from services import HOST, free_port
from serving import running
from systems import playing
from test_dynamodb import DynamoDB
from test_judge import PAGE, SUM, judged, page, watching  # noqa: F401 (a fixture)
from working import celery

pytestmark = pytest.mark.xdist_group("async-judge")

BOTH = ("/api/problems/", "/api/async/problems/")

# Prints what the table has of a problem.
LOOK = """
import asyncio, json
from integrations.dynamodb import table

async def look():
    async with table() as items:
        return await items.get("PROBLEM#sum-of-two", "METADATA")

print(json.dumps(asyncio.run(look())["title"]))
"""


@pytest.fixture(scope="module")
def project(system):
    return system("async-judge")


@pytest.fixture(scope="module")
def dynamodb(project, tmp_path_factory):
    server = DynamoDB(project, tmp_path_factory.mktemp("async-judge") / "log")
    yield server
    server.kill()


@pytest.fixture(scope="module")
def services(project, dynamodb):
    """The variables by which a project finds models that are played, and a table on this machine."""
    with playing(project) as models:
        yield models | dynamodb.variables | {"FORWARDED_ALLOW_IPS": HOST}


@pytest.fixture(scope="module")
def variables(project, services):
    return in_production(project) | services


async def done(socket):
    """Return the frames of a job, until it is done."""
    frames = [await socket.frame("job_changed", 40)]
    while frames[-1]["state"] != "done":
        frames.append(await socket.frame("job_changed", 40))
    return frames


def got(url):
    return httpx.get(url, timeout=30)


def posted(person, path, **fields):
    headers = {"Authorization": f"Bearer {person.tokens['access']}"}
    return httpx.post(f"{person.url}{path}", json=fields, headers=headers, timeout=30)


async def test_its_story(project, variables, page, story, record_property):  # noqa: F811
    table, port = ["a submission, over a socket", ""], free_port()
    record_property("table", table)
    variables |= {"PROBLEMS_ALLOWED_HOSTS": f"example.com,{HOST}:{page}"}
    queues = ("worker", "-Q", "default,generation,execution")
    with ExitStack() as stack:
        with story("the table is made"):
            python = project.folder / ".venv/bin/python"
            assert "was made" in project.run(python, "manage.py", "createtable", **variables)
        with story("ASGI, WSGI, nginx and a worker of all queues start"):
            asgi = stack.enter_context(running(project, **variables))
            own = {"port": port, "WSGI_PORT": str(port), "WSGI_WORKERS": "2"}
            wsgi = stack.enter_context(running(project, "serve-wsgi", **variables | own))
            stack.enter_context(celery(project, *queues, **variables))
            servers = f"server {HOST}:{asgi.port}; }} upstream wsgi {{ server {HOST}:{wsgi.port};"
            site = stack.enter_context(nginx(project.folder, MAIN.format(servers)))
        with story("each says what it is"):
            kinds = {url: got(f"{url}/api/health/").json() for url in (asgi.url, site.url)}
            assert [kind["container_type"] for kind in kinds.values()] == ["asgi", "wsgi"]
            for kind in kinds.values():
                assert set(kind["checks"].values()) == {"ok"}, kind
        with story("everybody reads the problems, by a sync view and by an async one"):
            answers = [got(f"{site.url}{path}sum/") for path in BOTH]
            one, other = (answer.json() for answer in answers)
            assert one == other
            for answer in answers:
                assert answer.headers["cross-origin-resource-policy"]
            logs = asgi.output(), wsgi.output()
            assert [[path in log for path in BOTH] for log in logs] == [[False, True], [True, False]]
        admin, student = (
            stack.enter_context(closing(Person(site.url, name, "jwt"))) for name in ("admin", "student")
        )
        async with watching(admin, site.url) as [socket]:
            with story("Gemini reads a problem from a page; a socket of ASGI tells who asked by WSGI"):
                url = f"http://{HOST}:{page}/sum"
                answer = posted(admin, "/api/problems/extract/", url=url, difficulty_rating=900)
                assert answer.status_code == 202, answer.text
                last = (await done(socket))[-1]
                assert (last["error"], last["problem"]) == ("", "sum-of-two"), last
            with story("no page is read that leads into the own network"):
                bad = posted(admin, "/api/problems/extract/", url="http://169.254.169.254/latest/")
                assert (bad.status_code, bad.json()["code"]) == (400, "host_not_allowed")
            with story("the problem is in the table"):
                assert got(f"{site.url}{BOTH[1]}sum-of-two/").status_code == 200
                said = project.run(python, "manage.py", "shell", "-v", "0", "-c", LOOK, **variables)
                assert said.splitlines()[-1] == '"Sum of two"'
        async with watching(student, site.url) as [socket]:
            with story("a program is handed in by WSGI, judged by the worker, shown by ASGI"):
                answer = posted(student, "/api/submissions/", problem="sum-of-two", code=SUM)
                assert answer.status_code == 201, answer.text
                frames = await judged(socket, answer.json()["id"])
                assert (frames[-1]["verdict"], frames[-1]["passed"]) == ("accepted", 1), frames[-1]
                wanted = ("state", "passed", "total", "verdict")
                table[1] = "\n".join(
                    f"<- submission_changed {json.dumps({name: frame[name] for name in wanted})}"
                    for frame in frames
                )
            with story("OpenAI writes a program, which is judged as the student's"):
                assert posted(student, "/api/problems/sum-of-two/solve/").status_code == 202
                pk = (await done(socket))[-1]["submission_id"]
                assert (await judged(socket, pk))[-1]["verdict"] == "accepted"
            with story("the ASGI server ends, and tells its sockets; WSGI serves on"):
                asgi.terminate()
                assert await socket.closed(within=20) == 1012
                await asyncio.to_thread(asgi.process.wait, 30)
                assert got(f"{site.url}{BOTH[0]}").status_code == 200
        assert "fake" not in re.sub(r"llm.fake", "", asgi.output() + wsgi.output())


@pytest.fixture(scope="module", params=["templates", "react"])
def site(request, system, services):
    """What the page is asked of, by each front end, with a worker that judges."""
    project = system("async-judge", frontend=request.param)
    variables = in_production(project) | services
    with running(project, **variables) as server, celery(project, "worker", **variables):
        yield project, server


@pytest.mark.browser
def test_its_page(log_in):
    student = log_in("student")
    student.goto("/problems/")
    student.get_by_role("link", name="A sum").click()
    expect_state(student, "connected")
    student.get_by_label("Your program").fill(SUM)
    student.get_by_role("button", name="Submit").click()
    expect(student.get_by_text("accepted").first).to_be_visible(timeout=40_000)
    if shots := os.environ.get("SHOTS"):
        student.screenshot(path=f"{shots}/async-judge.png")
    student.set_viewport_size({"width": 390, "height": 780})
    assert student.evaluate(OVERFLOW) == 0
