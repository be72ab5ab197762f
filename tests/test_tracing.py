"""Sentry and OpenTelemetry, set up by the very lines of docs/monitoring.md, where things go wrong."""

import re
import shutil
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from client import Person, talk
from collectors import collecting
from serving import PASSWORD, Project, each, lend_bytecode, running
from variants import first

VARIANT = first(server="uvicorn", channel_layer="memory", database="sqlite", auth="session_jwt")

FAULTY = Path(__file__).with_name("faulty")
MENTOR, STUDENT = "2", "3"  # the ids of demo users, in the order in which createdemo makes them


@pytest.fixture(scope="module", params=each([VARIANT]))
def project(request, bake, installed, tmp_path_factory):
    """A project with the app, and with what both sections say is to be installed."""
    project = Project(tmp_path_factory.mktemp("traced") / "site", request.param)
    shutil.copytree(bake(**request.param), project.folder)
    shutil.copytree(FAULTY, project.folder / "faulty")
    patch(project, "config/settings.py", '     "health",\n+    "faulty",\n')
    for title in ("Sentry", "OpenTelemetry"):
        patch(
            project, "pyproject.toml", re.search(r"```diff\n(.+?)```", section(project, title), re.DOTALL)[1]
        )
    project.make(".venv/installed")
    lend_bytecode(installed(request.param).folder, project.folder)
    project.make("demo-users", DEMO_PASSWORD=PASSWORD)
    return project


def section(project, title):
    page = (project.folder / "docs/monitoring.md").read_text(encoding="utf-8")
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def patch(project, path, diff):
    """Change a file as a diff says, each of whose parts fits at one place only."""
    file = project.folder / path
    text = file.read_text(encoding="utf-8")
    for part in diff.split("@@\n"):
        lines = part.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] != "+")
        assert text.count(old) == 1, f"{old} in {file}"
        text = text.replace(old, "".join(line[1:] for line in lines if line[0] != "-"))
    file.write_text(text, encoding="utf-8")


@contextmanager
def set_up(project, title):
    """Do step by step what a section says; afterwards `config/` is as it was."""
    config = project.folder / "config"
    before = shutil.copytree(config, project.folder / "before")
    pattern = r"^(Make|In|At the end of) `(.+?)`:\n\n```\w+\n(.+?)```"
    for where, path, text in re.findall(pattern, section(project, title), re.MULTILINE | re.DOTALL):
        if where == "In":
            patch(project, path, text)
        else:
            with (project.folder / path).open("a", encoding="utf-8") as file:
                file.write(f"\n{text}" if file.tell() else text)
    try:
        yield
    finally:
        shutil.rmtree(config)
        before.rename(config)


async def ask_for_trouble(server):
    """Have everything fail, over connections that bring secrets; return those."""
    student, mentor = Person(server.url, "student", "ticket"), Person(server.url, "mentor", "jwt")
    student.browser.cookies["taste"] = "sesame-cookie"
    for path in ("sync/1/", "async/2/", "fine/3/", "nowhere/"):
        student.browser.get(f"/faulty/{path}?ticket=sesame-query", headers={"Referer": "/?token=sesame-page"})
    student.browser.get("/?ticket=sesame-host", headers={"Host": "elsewhere.example"})  # logged as an error
    student.post("/faulty/sync/4/", password="sesame-body")
    student.browser.get("/accounts/reset/MQ/sesame-link/")
    handshake = student.address("/ws/faulty/5/", token="sesame-socket")
    async with mentor.open("/ws/faulty/6/") as other, talk(**handshake) as own:
        await other.frame("connection_established")
        assert (await own.request("fail", text="sesame-frame"))["code"] == "internal_error"
        await own.send("spread")
        for socket in (own, other):
            await socket.frame("told")
            await socket.ping()
    ticket = httpx.URL(handshake["uri"]).params["ticket"]
    cookies = [student.browser.cookies[name] for name in ("sessionid", "csrftoken")]
    student.close()
    return ["sesame", ticket, *cookies, mentor.tokens["access"], mentor.tokens["access"].split(".")[2]]


SYNC, ASYNC = "/faulty/sync/<int:number>/", "/faulty/async/<int:number>/"
RESET = "/accounts/reset/<uidb64>/<token>/"
OF_SOCKETS = {  # errors: (path, whose, what failed)
    ("/ws/faulty/5/", STUDENT, "a frame"),
    ("/ws/faulty/5/", STUDENT, "an event"),
    ("/ws/faulty/5/", STUDENT, "closed"),
    ("/ws/faulty/6/", MENTOR, "an event"),
    ("/ws/faulty/6/", MENTOR, "closed"),
}


async def test_sentry_gets_errors_and_requests_without_secrets(project):
    with collecting() as sentry, set_up(project, "Sentry"):
        trace_all(project.folder / "config/sentry.py")
        with running(project, SENTRY_DSN=f"http://key@{sentry.address}/1") as server:
            secrets = await ask_for_trouble(server)
    failed = [event for event in sentry.items("event") if "ArithmeticError" in str(event["exception"])]
    errors = Counter(map(what_failed, failed))
    assert len(sentry.items("event")) == len(failed) + 1
    of_requests = {(braces(SYNC), STUDENT, "a sync view"): 2, (braces(ASYNC), STUDENT, "an async view"): 1}
    assert errors == Counter(OF_SOCKETS) + Counter(of_requests)
    requests = {request["transaction"] for request in sentry.items("transaction")}
    assert {braces(SYNC), braces(ASYNC), braces(RESET), "/api/ws-ticket/"} <= requests
    assert not [name for name in requests if name.startswith(("/ws/", "/api/health/"))]
    assert not sentry.told(secrets)


def what_failed(event):
    return event["transaction"], event["user"]["id"], event["exception"]["values"][-1]["value"]


def braces(route):
    """Return a route as Sentry has it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)


def trace_all(file):
    """Trace every request, not one in ten."""
    text = file.read_text(encoding="utf-8")
    assert text.count("SHARE = 0.1 ") == 1
    file.write_text(text.replace("SHARE = 0.1 ", "SHARE = 1.0 "), encoding="utf-8")


async def test_opentelemetry_gets_errors_and_requests_without_secrets(project):
    with (
        collecting() as collector,
        set_up(project, "OpenTelemetry"),
        running(project, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{collector.address}") as server,
    ):
        secrets = await ask_for_trouble(server)
    names = ("url.path", "user.id", "exception.message")
    failed = [record for record in collector.records() if record[0]["exception.type"] == "ArithmeticError"]
    errors = Counter((traced, *map(its.get, names)) for its, traced in failed)
    assert len(collector.records()) == len(failed) + 1
    of_requests = {(True, None, None, "a sync view"): 2, (True, None, None, "an async view"): 1}
    assert errors == Counter((False, *error) for error in OF_SOCKETS) + Counter(of_requests)
    requests = set(collector.spans())
    assert {f"GET {route}" for route in (SYNC, ASYNC, RESET)} < requests
    assert {f"POST {SYNC}", "POST /api/ws-ticket/", "GET"} < requests  # the last of what is nowhere
    assert not [name for name in requests if "/ws/" in name or "/health/" in name]
    assert not collector.told(secrets)
