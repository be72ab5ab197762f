"""A generated project follows the template, and changes its answers, with cruft, from a local clone."""

import json
import re
import subprocess
import sys

import pytest

from offered import QUESTIONS, TEMPLATE
from repository import commit, contents, cruft, environment, run


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


def test_update_brings_new_answers(project, bake):
    secrets = (project / ".env").read_text()
    answers = {"server": "granian", "channel_layer": "redis", "auth": "session_jwt", "consumers": "rooms"}
    said = cruft("update", "--skip-apply-ask", "--variables-to-update", json.dumps(answers), cwd=project)
    assert "Next:" not in said  # as to a new project, which the folders to compare are not

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
    change_template(template)
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
    done = subprocess.run([*command, answers], cwd=project, env=environment(), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "auth jwt needs rest_api drf; choose rest_api=drf, or another auth: session.\n"
    assert contents(project) == before


def test_new_project_and_refused_answers_name_the_command_of_cruft(template, tmp_path):
    """By which the project, or the same answers, can be had again."""
    command = (sys.executable, "-m", "cruft", "create", str(template), "--extra-context")
    answers = {"project_name": "Bob's Site", "auth": "jwt", "rest_api": "none"}
    done = subprocess.run(
        [*command, json.dumps(answers), "--no-input"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    problem, again = done.stderr.split("\n\nThe same answers again, to correct:\n  ")
    assert problem == "auth jwt needs rest_api drf; choose rest_api=drf, or another auth: session."

    mended = again.replace('"rest_api": "none"', '"rest_api": "drf"')
    said = run("bash", "-c", mended, cwd=tmp_path)
    assert (tmp_path / "bob_s_site" / ".cruft.json").exists()
    assert f"\n  {mended.strip()}\n" in said


# -- The README's commands ---------------------------------------------------------------------------------

README = (TEMPLATE / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("\n## Update a project\n")[2].partition("\n## ")[0]
CREATE, COMMIT, UPDATE, CHANGE, LINK = re.findall(r"```\n(.+?)```", SECTION, re.DOTALL)


def follow(block, folder, answers=""):
    """Run the commands of a block, but what installs cruft, which is here; return what they print."""
    commands = "".join(line for line in block.splitlines(keepends=True) if not line.startswith("pip "))
    return run("bash", "-e", "-c", commands, cwd=folder, input=answers)


def change_template(template):
    with (template / "{{cookiecutter.project_slug}}" / ".gitignore").open("a") as file:
        file.write("new-in-the-template\n")
    commit(template, "A change of the template")


def test_the_readme_s_commands_create_update_and_change_a_project(template, tmp_path):
    follow(CREATE, template, "\n" * len(QUESTIONS))
    project = tmp_path / "live_site"
    follow(COMMIT, project)
    assert run("git", "status", "--porcelain", cwd=project) == ""
    kept = run("git", "ls-files", cwd=project).splitlines()
    assert {".cruft.json", "uv.lock"} <= set(kept)
    assert ".env" not in kept
    secrets = (project / ".env").read_text()

    change_template(template)
    follow(UPDATE, project)
    assert "new-in-the-template" in run("git", "show", "HEAD", "--", ".gitignore", cwd=project)
    assert run("git", "status", "--porcelain", cwd=project) == ""

    follow(CHANGE, project)
    assert "REDIS_URL" in (project / "config" / "channel_layer_redis.py").read_text()
    assert (project / ".env").read_text() == secrets
    run("make", ".env", cwd=project)
    assert (project / ".env").read_text() == secrets + "REDIS_URL=redis://127.0.0.1:6379/0\n"


def test_the_readme_s_commands_link_a_project_that_cookiecutter_made(template, tmp_path):
    command = (sys.executable, "-m", "cookiecutter", ".", "--no-input", "--output-dir", "..")
    run(*command, "project_name=Harbour Lights", cwd=template)
    project = tmp_path / "harbour_lights"
    follow(COMMIT, project)
    follow(LINK, project)
    assert "up to date" in cruft("check", cwd=project)
    before = contents(project)

    change_template(template)
    cruft("update", "--skip-apply-ask", cwd=project)
    after = contents(project)
    assert after.pop(".gitignore") == before.pop(".gitignore") + b"new-in-the-template\n"
    assert after == before
