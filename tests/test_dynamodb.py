"""A project beside a DynamoDB, as its owner sets it up, and while that is away or hangs."""

import signal
import subprocess
import time
from contextlib import closing, contextmanager

import httpx
import pytest

from client import Person
from offered import OPTIONS
from polling import until, until_served
from services import HOST, free_port
from serving import ENVIRONMENT, STARTS_WITHIN, each, running
from variants import first

VARIANT = first(auth="session", rest_api="drf", integrations=", ".join(OPTIONS["integrations"]))
ASYNC = "/api/async/problems/"
SYNC = "/api/problems/"

# Changes an item of the table behind the back of the site.
CHANGE = """
import asyncio
from integrations.dynamodb import table

async def change():
    async with table() as items:
        assert await items.update("PROBLEM#two", "METADATA", title="Of the table")

asyncio.run(change())
"""


class DynamoDB:
    """A server that speaks its language, from the environment of a project."""

    def __init__(self, project, log):
        port = free_port()
        self.url = f"http://{HOST}:{port}"
        self.variables = {
            "DYNAMODB_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        command = [str(project.folder / ".venv/bin/moto_server"), "-H", HOST, "-p", str(port)]
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, env=ENVIRONMENT, stdout=output, stderr=output)
        until_served(self.answers, STARTS_WITHIN, self.process, log.read_text)

    def answers(self):
        return httpx.get(f"{self.url}/moto-api/data.json").status_code == 200

    @contextmanager
    def stopped(self):
        """Let it hang for as long as the block lasts: connections are taken, and nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module", params=each([VARIANT]))
def project(request, installed):
    return installed(request.param)


@pytest.fixture(scope="module")
def dynamodb(project, tmp_path_factory):
    server = DynamoDB(project, tmp_path_factory.mktemp("dynamodb") / "log")
    yield server
    server.kill()


def python(project):
    return project.folder / ".venv/bin/python"


def createtable(project, variables, fails=False):
    return project.run(python(project), "manage.py", "createtable", fails=fails, **variables)


def said_by_health(server):
    answer = httpx.get(f"{server.url}/api/health/", timeout=30)
    assert (answer.status_code, answer.json()["status"]) == (200, "healthy")
    result = answer.json()["checks"]["dynamodb"]
    assert result == "ok" or f"dynamodb: {result}" in answer.json()["warnings"]
    return result


def title(server, path=ASYNC):
    answer = httpx.get(f"{server.url}{path}two/", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["title"]


async def test_from_no_table_to_one_that_hangs(project, dynamodb):
    with running(project, **dynamodb.variables) as server:
        missing = "the table is not there; run `manage.py createtable`"
        await until(lambda: said_by_health(server) == missing, 20, server)
        assert f"at {dynamodb.url}; run `manage.py createtable`" in server.output()
        assert "was made" in createtable(project, dynamodb.variables)
        await until(lambda: said_by_health(server) == "ok", 20, server)

        with closing(Person(server.url, "admin", "session")) as admin:
            headers = {"Referer": server.url, "X-CSRFToken": admin.browser.cookies["csrftoken"]}
            made = admin.browser.post(ASYNC, json={"slug": "two", "title": "Two"}, headers=headers)
            assert made.status_code == 201, made.text
        project.run(python(project), "manage.py", "shell", "--command", CHANGE, **dynamodb.variables)
        assert (title(server), title(server, SYNC)) == ("Of the table", "Two")

        with dynamodb.stopped():
            start = time.monotonic()
            assert title(server) == "Two"
            assert time.monotonic() - start < 15, "somebody waited for a table that hangs"
            assert "problems come from the database alone for 5 s: no answer within 2 s" in server.output()
            assert said_by_health(server) == "the table does not answer; the log says why"
        await until(lambda: title(server) == "Of the table", 30, server)
        dynamodb.kill()
        assert title(server) == "Two"
    for word in ("Traceback", "Unclosed", "was never"):
        assert word not in server.output(), server.output()


def test_without_keys_that_is_said(project, dynamodb):
    keyless = {"AWS_ACCESS_KEY_ID": "", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}
    said = createtable(project, dynamodb.variables | keyless, fails=True)
    cure = "there are no keys for AWS; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    assert said.splitlines()[-1].endswith(cure)
