"""How tests that look at answers generate projects, and look at them."""

import shlex
import subprocess
from pathlib import Path

from cookiecutter.main import cookiecutter

from offered import TEMPLATE

GIT = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com")  # as somebody who may commit


def generate(folder, answers, **options):
    return Path(
        cookiecutter(str(TEMPLATE), no_input=True, extra_context=answers, output_dir=str(folder), **options)
    )


def run(*command, cwd=None, **options):
    """Run a command that must succeed; return what it printed."""
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{shlex.join(done.args)} in {cwd}\n{done.stdout}{done.stderr}"
    return done.stdout


def files(project):
    """Return {path: content} of a project, without its secrets."""
    paths = (path for path in project.rglob("*") if path.is_file() and path.name != ".env")
    return {path.relative_to(project): path.read_bytes() for path in paths}
