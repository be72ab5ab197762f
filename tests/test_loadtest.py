"""`make loadtest` against a site that runs: what it measures, and how it ends when that goes away."""

import re
import signal
import subprocess
from contextlib import contextmanager

import pytest

from polling import until
from services import free_port
from serving import ENVIRONMENT, STOPS_WITHIN, each, running
from variants import first

TOKEN = "only-for-tests-0123456789-0123456789"
VARIANTS = [
    first(server="uvicorn", auth="session", channel_layer="memory"),
    first(server="uvicorn", auth="jwt", channel_layer="redis"),
]
USERS = 2
DELIVERIES = 3 * 20 * 5  # of 20 messages each in rooms, notifications and chat sessions, to five sockets
SMALL = f"--sockets 30 --users {USERS} --audience 5 --ramp 1 --seconds 2 --rate 30"
STRICT = "--max-errors 0 --max-lost 0 --max-reconnects 0"


@pytest.fixture(scope="module", params=each(VARIANTS))
def project(request, installed):
    """A project with users for load tests."""
    with with_users(installed(request.param)) as project:
        yield project


@pytest.fixture(scope="module", params=each(VARIANTS[:1]))
def one_project(request, installed):
    with with_users(installed(request.param)) as project:
        yield project


@contextmanager
def with_users(project):
    make_users(project, USERS)
    yield project
    make_users(project, 0)


def make_users(project, number):
    python = project.folder / ".venv/bin/python"
    project.run(python, "manage.py", "loadtest_users", number, LOADTEST_TOKEN=TOKEN)


class LoadTest:
    """A load test under way."""

    def __init__(self, project, url, arguments, token):
        self.report = project.folder.with_suffix(".loadtest.html")
        command = [".venv/bin/python", "-m", "loadtest", "--url", url, "--report", self.report]
        self.process = subprocess.Popen(
            [*command, *SMALL.split(), *arguments.split()],
            cwd=project.folder,
            env=ENVIRONMENT | {"LOADTEST_TOKEN": token, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.read = ""

    def read_until(self, pattern):
        """Read what it prints until a line has the pattern."""
        while not re.search(pattern, line := self.process.stdout.readline()):
            assert line, f"it has ended:\n{self.read}"
            self.read += line

    def end(self):
        """Wait for its end; return its status and what it has printed."""
        self.read += self.process.communicate(timeout=60)[0]
        assert "Traceback" not in self.read, self.read
        return self.process.returncode, self.read


@contextmanager
def begun(project, url, arguments="", token=TOKEN):
    test = LoadTest(project, url, arguments, token)
    try:
        yield test
    finally:
        test.process.kill()
        test.process.communicate()


def load(project, url, arguments="", token=TOKEN):
    """Run a load test; return its status and what it has printed."""
    with begun(project, url, arguments, token) as test:
        return test.end()


def figure(output, label):
    return re.search(rf"^ *{label} +(.+)$", output, re.MULTILINE)[1]


def test_a_short_one(project):
    """All is delivered, in rooms and to the sockets of each user; what was missed is named."""
    with running(project, LOADTEST_TOKEN=TOKEN) as server:
        status, output = load(project, server.url, f"{STRICT} --max-p99-ms 0.001")
        by_ticket = load(project, server.url, f"{STRICT} --by ticket --path /ws/notifications/")
        refused = load(project, server.url, token="another-" + TOKEN)
        few = load(project, server.url, f"--users {USERS + 1}")
    assert re.findall("^Missed: (.+) it was", output, re.MULTILINE) == ["--max-p99-ms 0.001:"], output
    assert status == 1
    assert figure(output, "sockets") == "30 of 30, 30 at the end"
    assert figure(output, "messages sent").startswith("60, 3")
    assert figure(output, "deliveries").startswith(f"{DELIVERIES}: p50 ")
    assert figure(output, "expected") == f"{DELIVERIES}; 0 lost, 0 repeated"
    assert by_ticket[0] == 0, by_ticket[1]
    assert figure(by_ticket[1], "replies").startswith("60: p50 ")
    assert refused[0] == few[0] == 2
    assert "does not agree to a load test: it has another LOADTEST_TOKEN; set" in refused[1]
    assert f"Run `manage.py loadtest_users {USERS + 1}` at the site." in few[1]


def test_make_passes_on_what_there_is_to_say(one_project):
    assert "--max-p99-ms" in one_project.make("loadtest", "ARGS=--help")


async def test_sockets_come_back_and_control_c_ends_it(one_project):
    """After a restart they get what they missed; the table and the report tell what was measured."""
    port = free_port()
    with begun_at(one_project, port, "--seconds 60") as (server, test):
        test.read_until("received/s")
        server.terminate()
        await until(lambda: server.process.poll() is not None, STOPS_WITHIN)
        with running(one_project, port=port, LOADTEST_TOKEN=TOKEN):
            test.read_until(r"30 of 30 sockets .* 30 reconnects")
            test.process.send_signal(signal.SIGINT)
            status, output = test.end()
    assert status == 130
    assert figure(output, "reconnections") == "30"
    code, times = figure(output, "close codes").split(": ")
    assert code == "1012"
    assert int(times) >= 30  # more, if some came back before the server had ended
    assert figure(output, "expected").endswith("; 0 lost, 0 repeated")
    assert "ended by hand" in test.report.read_text(encoding="utf-8")


async def test_a_site_that_is_killed_ends_it(one_project):
    with begun_at(one_project, free_port(), "--seconds 60 --give-up 2") as (server, test):
        test.read_until("received/s")
        server.process.kill()
        status, output = test.end()
    assert status == 1
    assert "Missed: no socket was open for 2 s, so it ended early" in output
    assert "30 sockets were not open at the end" in output
    assert figure(output, "handshake: connection refused")


@contextmanager
def begun_at(project, port, arguments):
    with (
        running(project, port=port, LOADTEST_TOKEN=TOKEN) as server,
        begun(project, server.url, arguments) as test,
    ):
        yield server, test
