"""A front end by React, as its owners work on it and deploy it."""

import os
import re
import shutil
import signal

import httpx
import psutil
import pytest
import uv
from playwright.sync_api import expect

from browser import NOTIFICATIONS, forgive, go_live, submit_login
from hosts import in_production
from services import HOST, free_port
from serving import Project, each, running, started
from test_development import developing
from variants import first

VARIANT = first(server="uvicorn", channel_layer="memory", auth="session") | {
    "frontend": "react",
    "consumers": "rooms, notifications",
    "integrations": "none",
    "database": "postgresql",
    "deployment": "docker, procfile",
}
PAGE = "frontend/src/notifications/NotificationCenter.tsx"
BUILT = "static/app/index.html"
SCRIPT = r'<script type="module" crossorigin src="(/static/app/assets/.+?)">'
A_YEAR = "max-age=31536000, public, immutable"

pytestmark = pytest.mark.xdist_group("frontend")


@pytest.fixture(scope="module", params=each([VARIANT]))
def project(request, installed):
    return installed(request.param)


@pytest.fixture
def source(project):
    """A file of the front end, which is restored at the end; say what to write in place of something."""
    path = project.folder / PAGE
    before = path.read_text(encoding="utf-8")

    def write(old, new):
        assert old in before
        path.write_text(before.replace(old, new), encoding="utf-8")

    yield write
    path.write_text(before, encoding="utf-8")


# -- make run ----------------------------------------------------------------------------------------------


def named(server, text):
    """Return those processes of a server whose command has this text."""
    return [process for process in server.processes() if text in " ".join(process.cmdline())]


def test_make_run_has_vite_in_front_and_tells_one_address(project):
    with running(project, "run", NO_COLOR="1") as server, server.client() as client:
        assert "/@vite/client" in client.get(NOTIFICATIONS).text
        assert client.get("/api/site/").json()["debug"]
        assert client.get("/accounts/login/").status_code == 200
        assert set(re.findall(r"https?://[\w.]+:\d+", server.output())) == {server.url}
        assert len(named(server, "vite.js")) == 1  # Node itself, which gets signals


WAYS = {
    "Ctrl+C": lambda server: os.killpg(server.process.pid, signal.SIGINT),
    "Vite dies": lambda server: named(server, "vite.js")[0].kill(),
    "Django ends": lambda server: named(server, "--behind")[0].terminate(),
}


@pytest.mark.parametrize("way", WAYS)
def test_vite_and_django_end_together(way, project):
    with running(project, "run") as server:
        family = server.processes()
        WAYS[way](server)
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not alive, server.output()
        assert "Traceback" not in server.output()


def test_make_run_says_in_a_line_that_its_port_is_taken(project):
    with running(project) as server:
        said = project.run(
            ".venv/bin/python", "-m", "serving.vite", fails=True, HOST=HOST, PORT=str(server.port)
        )
        assert said == f"Cannot listen on {HOST}:{server.port}: Address already in use. Set HOST or PORT.\n"


def test_django_reloads_behind_vite(project):
    with developing(project, "config/settings.py") as (server, settings):
        name = "Renamed meanwhile"
        settings.add(f'PROJECT_NAME = "{name}"', lambda: name in httpx.get(f"{server.url}/api/site/").text)
        assert len(named(server, "vite.js")) == 1


@pytest.mark.browser
def test_a_page_in_development_is_live_and_follows_its_source(project, source, visit_at):
    with running(project, "run") as server:
        page = visit_at(server)
        go_live(page, NOTIFICATIONS)
        page.evaluate("window.kept = true")
        source("Send myself a test notification", "Try it")
        expect(page.get_by_role("button", name="Try it")).to_be_visible()
        assert page.evaluate("window.kept")  # it was not loaded anew
        page.goto("about:blank")


@pytest.fixture
def visit_at(chromium, complaints):
    """Return a function that logs the student in at a server, and returns the page."""
    contexts = []

    def visit_at(server):
        contexts.append(chromium.new_context(base_url=server.url))
        page = contexts[-1].new_page()
        page.on(
            "console",
            lambda message: message.type in ("error", "warning") and complaints.append(message.text),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/accounts/login/")
        submit_login(page, "student")
        expect(page.get_by_role("button", name="Log out")).to_be_visible()
        return page

    yield visit_at
    for context in contexts:
        context.close()


# -- make build, test, lint --------------------------------------------------------------------------------


def test_make_build_builds_what_has_changed_alone(project, source):
    project.make("build")
    built = (project.folder / BUILT).stat().st_mtime_ns
    assert "vite build" not in project.make("build")
    assert (project.folder / BUILT).stat().st_mtime_ns == built
    source("Send myself a test notification", "Try it")
    project.make("build")
    assert (project.folder / BUILT).stat().st_mtime_ns > built
    chunks = [path.read_text() for path in (project.folder / "static/app/assets").glob("*.js")]
    assert ["Try it" in chunk for chunk in chunks].count(True) == 1


def test_make_lint_and_make_test_succeed(project):
    project.make("lint")
    said = project.make("test")
    assert re.search(r"Test Files .*\d+ passed", said)
    assert re.search(r"=+ \d+ passed", said)


def test_make_lint_finds_a_frame_that_no_consumer_takes(project, source):
    source('type: "mark_read"', 'type: "mark_red"')
    said = project.run("make", f"UV={uv.find_uv_bin()}", "lint", fails=True)
    assert f"{PAGE.removeprefix('frontend/')}(" in said
    assert "mark_red" in said


# -- In production -----------------------------------------------------------------------------------------


def test_browsers_keep_what_is_named_after_its_content(project):
    with running(project, **in_production(project)) as server, server.client() as client:
        page = client.get("/")
        policy = page.headers["content-security-policy"]
        assert policy == client.get("/accounts/login/").headers["content-security-policy"]
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-cache"
        (script,) = re.findall(
            r'<script type="module" crossorigin src="(/static/app/assets/.+?)">', page.text
        )
        asset = client.get(script)
        assert (asset.status_code, asset.headers["cache-control"]) == (200, A_YEAR)
        assert asset.headers["content-encoding"] == "gzip"
        gone = client.get(script.replace("index-", "index-gone"))
        assert gone.status_code == 404
        assert "immutable" not in gone.headers.get("cache-control", "")
        assert client.get("/any/page/").text == page.text


@pytest.mark.browser
def test_a_page_from_before_a_deploy_finds_its_way(project, source, visit_at, complaints):
    """What it is about to load is gone: it is loaded anew, at the address that was asked for."""
    values = in_production(project)
    with running(project, **values) as server:
        page = visit_at(server)
        port = server.port
    source("Send myself a test notification", "Try it")
    project.make("build")
    project.run(".venv/bin/python", "manage.py", "collectstatic", "--noinput", "--clear", **values)
    with running(project, port=port, **values):
        page.get_by_role("navigation").get_by_role("link", name="Notifications").click()
        expect(page.get_by_role("button", name="Try it")).to_be_visible()
        expect(page).to_have_url(re.compile(NOTIFICATIONS))
        page.goto("about:blank")
    assert forgotten(complaints)


def forgotten(complaints):
    """Take off what a browser says of a chunk that is gone, and of a server that was away."""
    forgive(
        complaints, r"404|Failed to fetch dynamically|ERR_CONNECTION_REFUSED|dynamically imported|preload"
    )
    return not complaints


def test_heroku_s_hook_builds_without_what_developers_have(project, tmp_path):
    """With uv, and a Python that has the dependencies, on the PATH; it leaves nothing of Node behind."""
    project.make("lock")
    folder, tools = tmp_path / "app", tmp_path / "tools"
    leave = shutil.ignore_patterns(".venv", "node_modules", "staticfiles", "app", "frames.ts")
    shutil.copytree(project.folder, folder, ignore=leave)
    tools.mkdir()
    (tools / "uv").symlink_to(uv.find_uv_bin())
    (tools / "python").write_text(f'#!/bin/sh\nexec {project.folder}/.venv/bin/python "$@"\n')
    (tools / "python").chmod(0o755)
    values = project.dotenv() | {"DEBUG": "false", "PATH": f"{tools}:/usr/bin:/bin"}
    said = Project(folder, project.variant).run(folder / "bin/post_compile", **values)
    assert "static files copied" in said
    assert not (folder / "frontend").exists()
    assert list((folder / "staticfiles/app/assets").glob("index-*.js.gz"))


@pytest.mark.image
def test_the_image_serves_the_pages_without_node(project, image, note, tmp_path):
    built = image(project)
    app = built.root / "app"
    assert not {"frontend", "bin"} & {path.name for path in app.iterdir()}
    assert not list(built.root.rglob("node_modules"))
    assert not [path for path in built.root.rglob("node*") if path.name == "node" or "nodejs" in path.name]
    port = free_port()
    values = in_production(project) | {"PORT": str(port)}
    with started(built.command(**values), tmp_path, tmp_path / "web.log", port) as server:
        page = httpx.get(server.url).text
        (script,) = re.findall(SCRIPT, page)
        assert httpx.get(f"{server.url}{script}").headers["content-encoding"] == "gzip"
    note("react", VARIANT, built=built.building, MiB=built.size() / 2**20)
