"""A generated project follows the template, and changes its answers, with cruft, from a local clone."""

import json
import os
import shlex
import shutil
import subprocess
import sys

import pytest

from offered import TEMPLATE

GIT = os.environ | {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
}


def run(*command, cwd):
    """Run a command that must succeed; return what it printed."""
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=GIT, capture_output=True, text=True)
    assert done.returncode == 0, f"{shlex.join(done.args)} in {cwd}\n{done.stdout}{done.stderr}"
    return done.stdout


def cruft(*arguments, cwd):
    return run(sys.executable, "-m", "cruft", *arguments, cwd=cwd)


def commit(folder, message):
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--message", message, cwd=folder)


@pytest.fixture
def template(tmp_path):
    """Return a git repository with this template in it."""
    folder = tmp_path / "template"
    folder.mkdir()
    for name in ("cookiecutter.json", "refusals.py"):
        shutil.copy(TEMPLATE / name, folder)
    for name in ("hooks", "{{cookiecutter.project_slug}}"):
        shutil.copytree(TEMPLATE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    run("git", "init", "--quiet", "--initial-branch=main", cwd=folder)
    commit(folder, "The template")
    return folder


@pytest.fixture
def project(template, tmp_path):
    """Return a project, committed with a change of its own, that cruft made from the template."""
    cruft("create", template, "--no-input", "--output-dir", tmp_path, cwd=tmp_path)
    folder = tmp_path / "live_site"
    run("git", "init", "--quiet", "--initial-branch=main", cwd=folder)
    commit(folder, "As generated")
    with (folder / "manage.py").open("a") as file:
        file.write("# a change of one's own\n")
    (folder / "own.py").write_text("")
    commit(folder, "A change of one's own")
    return folder


def contents(folder):
    """Return {path: bytes} of what git keeps or would keep, without cruft's own file."""
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=folder).splitlines()
    kept = (folder / name for name in names if name != ".cruft.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept if path.exists()}


def test_update_brings_new_answers(project, bake):
    secrets = (project / ".env").read_text()
    answers = {"server": "granian", "channel_layer": "redis", "auth": "session_jwt", "consumers": "rooms"}
    cruft("update", "--skip-apply-ask", "--variables-to-update", json.dumps(answers), cwd=project)

    updated = contents(project)
    assert updated.pop("own.py") == b""
    assert updated.pop("manage.py").endswith(b"# a change of one's own\n")
    assert (project / ".env").read_text() == secrets
    state = json.loads((project / ".cruft.json").read_text())
    assert answers.items() <= state["context"]["cookiecutter"].items()

    fresh = bake(**answers)
    paths = (path for path in fresh.rglob("*") if path.is_file() and path.name not in (".env", "manage.py"))
    assert updated == {str(path.relative_to(fresh)): path.read_bytes() for path in paths}


def test_update_follows_the_template(template, project):
    with (template / "{{cookiecutter.project_slug}}" / ".gitignore").open("a") as file:
        file.write("new-in-the-template\n")
    commit(template, "A change of the template")
    secrets = (project / ".env").read_text()
    before = contents(project)

    cruft("update", "--skip-apply-ask", cwd=project)

    after = contents(project)
    assert after.pop(".gitignore") == before.pop(".gitignore") + b"new-in-the-template\n"
    assert after == before
    assert (project / ".env").read_text() == secrets
    assert "up to date" in cruft("check", cwd=project)


def test_refused_answers_leave_the_project_alone(project):
    before = contents(project)
    command = [sys.executable, "-m", "cruft", "update", "--skip-apply-ask", "--variables-to-update"]
    answers = json.dumps({"auth": "jwt", "rest_api": "none"})
    done = subprocess.run([*command, answers], cwd=project, env=GIT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "auth jwt needs rest_api drf; choose rest_api=drf, or another auth: session.\n"
    assert contents(project) == before
