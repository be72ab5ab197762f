"""A project beside a DynamoDB, as its owner sets it up, and while that is away or hangs."""

import signal
import subprocess
import time

import httpx
import pytest

from client import Person
from polling import until, until_served
from services import HOST, free_port
from serving import ENVIRONMENT, STARTS_WITHIN, each, running
from variants import BOOTED

VARIANT = next(row for row in BOOTED if "problems" in row["consumers"] and "dynamodb" in row["integrations"])
ASYNC = "/api/async/problems/"
SYNC = "/api/problems/"

# Changes an item of the table behind the back of the site.
CHANGE = """
import asyncio
from integrations.dynamodb import table

async def change():
    async with table() as items:
        assert await items.update("PROBLEM#sum", "METADATA", title="Of the table")

asyncio.run(change())
"""


class DynamoDB:
    """A server that speaks its language, from the environment of a project; it forgets all when it ends."""

    def __init__(self, project, log):
        self.command = [project.folder / ".venv/bin/moto_server", "-H", HOST, "-p", str(free_port())]
        self.log = log
        self.variables = {
            "DYNAMODB_ENDPOINT_URL": f"http://{HOST}:{self.command[-1]}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        self.start()

    def start(self):
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                list(map(str, self.command)), env=ENVIRONMENT, stdout=output, stderr=output
            )
        page = f"{self.variables['DYNAMODB_ENDPOINT_URL']}/moto-api/data.json"
        answers = lambda: httpx.get(page).status_code == 200  # noqa: E731
        until_served(answers, STARTS_WITHIN, self.process, self.log.read_text)

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module", params=each([VARIANT]))
def project(request, installed):
    return installed(request.param)


@pytest.fixture
def dynamodb(project, tmp_path):
    server = DynamoDB(project, tmp_path / "dynamodb.log")
    yield server
    server.kill()


def createtable(project, dynamodb, fails=False):
    python = project.folder / ".venv/bin/python"
    return project.run(python, "manage.py", "createtable", fails=fails, **dynamodb.variables)


def said_by_health(server):
    answer = httpx.get(f"{server.url}/api/health/", timeout=30)
    assert (answer.status_code, answer.json()["status"]) == (200, "healthy")
    result = answer.json()["checks"]["dynamodb"]
    assert result == "ok" or f"dynamodb: {result}" in answer.json()["warnings"]
    return result


def title(server, path=ASYNC):
    answer = httpx.get(f"{server.url}{path}sum/", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["title"]


async def test_from_no_table_to_one_that_goes_away(project, dynamodb):
    with running(project, **dynamodb.variables) as server:
        assert said_by_health(server) == "the table is not there; run `manage.py createtable`"
        assert "; run `manage.py createtable`" in server.output()

        assert "was made" in createtable(project, dynamodb)
        assert "is there already" in createtable(project, dynamodb)
        await until(lambda: said_by_health(server) == "ok", 20, server)

        admin = Person(server.url, "admin", "session")
        headers = {"Referer": server.url, "X-CSRFToken": admin.browser.cookies["csrftoken"]}
        made = admin.browser.post(ASYNC, json={"slug": "sum", "title": "Sum"}, headers=headers)
        assert made.status_code == 201, made.text
        admin.close()
        python = project.folder / ".venv/bin/python"
        project.run(python, "manage.py", "shell", "--command", CHANGE, **dynamodb.variables)
        assert (title(server), title(server, SYNC)) == ("Of the table", "Sum")

        dynamodb.process.send_signal(signal.SIGSTOP)
        start = time.monotonic()
        assert title(server) == "Sum"
        assert time.monotonic() - start < 15, "somebody waited for a table that hangs"
        assert "problems come from the database alone for 10 s: no answer within" in server.output()
        dynamodb.kill()
        assert title(server) == "Sum"
        away = "the table does not answer; the log says why"
        await until(lambda: said_by_health(server) == away, 20, server)
        assert "does not answer" in createtable(project, dynamodb, fails=True).splitlines()[-1]

        dynamodb.start()
        assert "was made" in createtable(project, dynamodb)
        await until(lambda: said_by_health(server) == "ok", 20, server)
        assert title(server) == "Sum"
    for word in ("Traceback", "Unclosed", "was never"):
        assert word not in server.output(), server.output()


def test_without_keys_that_is_said(project, dynamodb):
    variables = dynamodb.variables | {"AWS_ACCESS_KEY_ID": "", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}
    python = project.folder / ".venv/bin/python"
    said = project.run(python, "manage.py", "createtable", fails=True, **variables)
    cure = "there are no keys for AWS; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    assert said.splitlines()[-1].endswith(cure)
