"""docs/wsgi-to-asgi.md, applied to what `django-admin startproject` makes, which then speaks WebSockets."""

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest
import uv
from websockets.asyncio.client import connect

from generation import run
from offered import OPTIONS, TEMPLATE
from polling import until_served
from services import HOST, free_port
from serving import ENVIRONMENT, STARTS_WITHIN

GUIDE = (TEMPLATE / "docs/wsgi-to-asgi.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.+?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
COMMANDS = dict(re.findall(r"^\| ([A-Z]\w+|while developing) \| `(.+)` \|$", GUIDE, re.MULTILINE))
LOGIN = {"username": "ada", "password": "a-password-for-tests"}


@pytest.fixture(scope="module", params=OPTIONS["django_version"])
def project(request, tmp_path_factory):
    """The folder of a plain project with this version of Django, and what the guide says done to it."""
    folder = tmp_path_factory.mktemp(f"django-{request.param}")
    python = folder / ".venv/bin/python"
    install = (uv.find_uv_bin(), "pip", "install", "--quiet", "--python", python)
    run(uv.find_uv_bin(), "venv", "--quiet", folder / ".venv")
    run(*install, f"Django~={request.param}.0", "gunicorn")
    run(python, "-m", "django", "startproject", "mysite", folder)
    (folder / "requirements.txt").write_text("Django>=5.2\ngunicorn\n")
    apply_guide(folder)
    run(*install, "--requirement", folder / "requirements.txt", f"Django~={request.param}.0")
    run(python, "manage.py", "check", cwd=folder)
    run(python, "manage.py", "migrate", cwd=folder)
    account = {"DJANGO_SUPERUSER_USERNAME": LOGIN["username"], "DJANGO_SUPERUSER_PASSWORD": LOGIN["password"]}
    superuser = (python, "manage.py", "createsuperuser", "--noinput", "--email", "ada@example.com")
    run(*superuser, cwd=folder, env=ENVIRONMENT | account)
    return folder


def apply_guide(folder):
    """Write the guide's files, and change with git what it shows as a change; which needs no repository."""
    for kind, text in BLOCKS:
        if kind == "python":
            name = re.match(r"# (\S+)\n", text)[1]
            (folder / name).write_text(text)
        elif kind == "dockerfile":
            (folder / "Dockerfile").write_text(text)
        else:
            assert kind == "diff", kind
            run("git", "apply", "--recount", "-", cwd=folder, input=text)


@contextmanager
def serving(folder, command, port, **environment):
    """Run a command of the project's until the block ends; yield the cookie of somebody who has logged in."""
    log = folder / f"{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=ENVIRONMENT | {"PATH": f"{folder}/.venv/bin:{ENVIRONMENT['PATH']}"} | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield log_in(port, process, log)
        process.terminate()
        assert process.wait(15) in (0, -signal.SIGTERM), log.read_text()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def log_in(port, process, log):
    with httpx.Client(base_url=f"http://{HOST}:{port}", timeout=20) as client:
        page = partial(client.get, "/admin/login/")
        until_served(lambda: page().status_code == 200, STARTS_WITHIN, process, log.read_text)
        form = LOGIN | {"csrfmiddlewaretoken": client.cookies["csrftoken"], "next": "/admin/"}
        assert client.post("/admin/login/", data=form).status_code == 302, log.read_text()
        return f"sessionid={client.cookies['sessionid']}"


async def talk(cookie, port, other):
    """Say something at one port until it is heard at the other: Redis may not know yet who listens."""
    origin = f"http://{HOST}:{port}"

    def open_socket(port, **headers):
        return connect(f"ws://{HOST}:{port}/ws/talk/", origin=origin, additional_headers=headers, proxy=None)

    async with asyncio.timeout(20), open_socket(port, Cookie=cookie) as one:
        async with open_socket(other, Cookie=cookie) as two:
            hearing = asyncio.create_task(two.recv())
            while not hearing.done():
                await one.send('{"text": "Hello"}')
                await asyncio.wait([hearing], timeout=0.5)
            assert hearing.result() == '{"text": "Hello"}'
        async with open_socket(port) as guest:
            await guest.wait_closed()
            assert guest.close_code == 4401


@pytest.mark.parametrize("how", COMMANDS)
async def test_each_command_serves_pages_and_sockets(project, how):
    port = free_port()
    with serving(project, shlex.split(COMMANDS[how].replace("8000", str(port))), port) as cookie:
        await talk(cookie, port, port)


async def test_so_does_that_of_the_container_on_the_port_it_is_told_and_redis_joins_two(project, valkey):
    (command,) = re.findall(r"^CMD (\[.+\])$", (project / "Dockerfile").read_text(), re.MULTILINE)
    one, two = free_port(), free_port()
    told = {"REDIS_URL": valkey.database(0)}
    with (
        serving(project, json.loads(command), one, PORT=str(one), **told) as cookie,
        serving(project, json.loads(command), two, PORT=str(two), **told),
    ):
        await talk(cookie, one, two)


def test_hadolint_finds_nothing_in_the_dockerfile(project):
    run(Path(sys.executable).with_name("hadolint"), project / "Dockerfile")
