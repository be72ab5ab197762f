"""The template as those have it who do not work on it: a git repository, asked by cookiecutter and cruft."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from offered import TEMPLATE
from serving import ENVIRONMENT

GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
}


def environment():
    """Return variables with which git, cruft and uv are found and read nobody's settings."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return ENVIRONMENT | GIT | {"PATH": path, "COOKIECUTTER_CONFIG": os.environ["COOKIECUTTER_CONFIG"]}


def run(*command, cwd, **options):
    """Run a command that must succeed; return what it printed."""
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment(), capture_output=True, text=True, **options
    )
    assert done.returncode == 0, f"{shlex.join(done.args)} in {cwd}\n{done.stdout}{done.stderr}"
    return done.stdout


def cruft(*arguments, cwd):
    return run(sys.executable, "-m", "cruft", *arguments, cwd=cwd)


def commit(folder, message):
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--message", message, cwd=folder)


def contents(folder):
    """Return {path: bytes} of what git keeps or would keep, without cruft's own file."""
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=folder).splitlines()
    kept = (folder / name for name in names if name != ".cruft.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept if path.exists()}


@pytest.fixture
def template(tmp_path):
    """Return a git repository with this template in it."""
    folder = tmp_path / "cookiecutter-django-asgi"
    folder.mkdir()
    for name in ("cookiecutter.json", "refusals.py"):
        shutil.copy(TEMPLATE / name, folder)
    for name in ("hooks", "presets", "templates", "{{cookiecutter.project_slug}}"):
        leave = shutil.ignore_patterns("__pycache__")
        shutil.copytree(TEMPLATE / name, folder / name, symlinks=True, ignore=leave)
    run("git", "init", "--quiet", "--initial-branch=main", cwd=folder)
    commit(folder, "The template")
    return folder
