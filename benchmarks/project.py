"""The project under test: generated from this template, in its own environment, with a user logged in."""

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .common import BUILD, HERE

ANSWERS = {"project_slug": "bench_site", "server": "uvicorn", "channel_layer": "redis", "auth": "session"}
ENVIRONMENT = {
    "DEBUG": "false",
    "HTTPS": "false",
    "ALLOWED_HOSTS": "127.0.0.1",
    "LOG_LEVEL": "WARNING",
    "WS_MAX_SOCKETS": "100000",
    "WS_MAX_SOCKETS_PER_USER": "100000",
    "PYTHONPATH": str(HERE.parent),  # for the peers
}
NO_LIMITS = {  # on what clients send
    "WS_RATE": "1000000/second",
    "WS_USER_RATE": "1000000/second",
    "WS_BYTE_RATE": "1000000000/second",
}
LOG_IN = """
from django.contrib.auth import get_user_model
from django.test import Client
client = Client()
client.force_login(get_user_model().objects.create_user("bench"))
print(client.cookies["sessionid"].value)
"""


@dataclasses.dataclass
class Project:
    """Where a generated project is, its interpreter, and the session cookie of its user."""

    path: Path
    python: Path
    cookie: str


def generate(services=None, **answers):
    """A fresh project, ready to be served with `ENVIRONMENT`, and the services that it has."""
    answers, services = ANSWERS | answers, services or {}
    path = BUILD / answers["project_slug"]
    shutil.rmtree(path, ignore_errors=True)
    answers = [f"{key}={value}" for key, value in answers.items()]
    template = [
        "cookiecutter",
        str(HERE.parent),
        "--no-input",
        "--default-config",
        "--output-dir",
        str(BUILD),
    ]
    run([sys.executable, "-m", *template, *answers], HERE.parent)
    run([sys.executable, "-m", "uv", "sync", "--no-dev"], path)
    python = path / ".venv" / "bin" / "python"
    run([python, "manage.py", "migrate"], path, **services)
    session = run([python, "manage.py", "shell", "--no-imports", "--command", LOG_IN], path, **services)
    return Project(path, python, f"sessionid={session.strip()}")


def run(command, cwd, **environment):
    """What a command prints; if it fails, an error that shows what it said."""
    environment = os.environ | environment
    result = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"{command} failed:\n{result.stdout}{result.stderr}")
    return result.stdout
