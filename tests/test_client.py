"""The client of all pages, `static/realtime.js`: its tests for each front end, and its talk with a server."""

import json
import re
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread

import jwt
import pytest

from client import Person
from offered import SCALARS
from services import free_port
from serving import ENVIRONMENT, each, running
from variants import first

VARIANT = first(server="uvicorn", channel_layer="memory", auth="session_jwt") | {"frontend": "react"}
BYTES = 2048
ROOM = "/ws/rooms/lobby/"
IDS = {"chat_message": "message_id"}
ANSWERS_WITHIN = 20  # seconds; a client that comes back waits up to 10
MINIFY = """
import { rolldown } from "rolldown";
const bundle = await rolldown({ input: process.argv[1] });
const { output } = await bundle.generate({ minify: true });
process.stdout.write((await import("node:zlib")).gzipSync(output[0].code, { level: 9 }));
"""


@pytest.fixture(scope="module", params=each([VARIANT]))
def project(request, installed):
    """A project that has what the tests of the client need: Node, and what `make` installs for it."""
    project = installed(request.param)
    project.make("frames", "frontend/node_modules/.package-lock.json")
    return project


def test_every_front_end_has_the_client_that_is_tested(project, bake):
    client = "static/realtime.js"
    baked = [bake(**VARIANT | {"frontend": frontend}) / client for frontend in SCALARS["frontend"]]
    assert len({file.read_bytes() for file in baked}) == 1
    shutil.copy(baked[0], project.folder / client)
    node = f"{project.folder}/.venv/bin:{ENVIRONMENT['PATH']}"
    vitest = ("frontend/node_modules/.bin/vitest", "run", "--root", "frontend", "src/realtime")
    said = project.run(*vitest, PATH=node, NO_COLOR="1")
    assert re.search(r"Tests +\d\d+ passed", said), said


def test_the_client_is_small(project):
    minify = [project.folder / ".venv/bin/node", "--input-type=module", "--eval", MINIFY]
    folder = project.folder / "frontend"
    done = subprocess.run([*minify, "../static/realtime.js"], cwd=folder, capture_output=True, check=True)
    assert 1024 < len(done.stdout) < BYTES


class Client:
    """A socket of `static/realtime.js` in Node; `heard` is what it has said of itself so far."""

    def __init__(self, process):
        self.process, self.said, self.heard = process, Queue(), []
        Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            self.said.put(json.loads(line))

    def tell(self, command, argument=None):
        self.process.stdin.write(json.dumps([command, argument]) + "\n")
        self.process.stdin.flush()

    def hears(self, kind, **expected):
        """Return the next of a kind that has these fields, whatever else comes before."""
        end = time.monotonic() + ANSWERS_WITHIN
        while True:
            heard, what = self.said.get(timeout=max(end - time.monotonic(), 0.01))
            self.heard.append((heard, what))
            if heard == kind and (not expected or expected.items() <= what.items()):
                return what

    def frames(self, type):
        return [what for kind, what in self.heard if kind == "frame" and what["type"] == type]

    def states(self):
        return [what["state"] for kind, what in self.heard if kind == "state"]

    def prove(self, proof, *, renew=False):
        """Answer the question who it is, which says whether it takes a new proof."""
        assert self.hears("authorize") is renew
        self.tell("prove", proof)

    def request(self, type, **fields):
        self.tell("request", {"type": type, **fields})
        return self.hears("answer")


@contextmanager
def client(project, url, path, **options):
    command = [project.folder / ".venv/bin/node", Path(__file__).with_name("node_client.mjs")]
    arguments = [project.folder / "static/realtime.js", path, json.dumps({"base": url, **options})]
    process = subprocess.Popen(
        [*map(str, command), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # Node's wonder that the script is a module
        text=True,
    )
    try:
        yield Client(process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def url(project):
    with running(project) as server:
        yield server.url


@pytest.fixture
def person(url):
    """Return a function that gives a user of the site."""
    with ExitStack() as stack:

        def person(name):
            person = Person(url, name, "session")
            stack.callback(person.close)
            return person

        yield person


def token(person):
    return {"token": person.tokens["access"]}


@pytest.mark.parametrize("proof", ["token", "ticket"])
def test_a_request_is_carried_out_and_answered(project, url, person, proof):
    student = person("student")
    with client(project, url, ROOM) as page:
        page.prove(token(student) if proof == "token" else {"ticket": student.ticket()})
        page.hears("state", state="connected")
        sent = page.request("chat_message", message="Hello")
        assert sent["ok"]
        assert page.request("chat_message")["code"] == "invalid_message"
        with client(project, url, ROOM, since=sent["message_id"] - 1, ids=IDS) as late:
            late.prove(token(student))
            assert late.hears("frame", type="chat_message")["message"] == "Hello"


def test_a_socket_outlives_its_token(project, url, person):
    student = person("student")
    claims = jwt.decode(student.tokens["access"], options={"verify_signature": False})
    claims["exp"] = int(time.time()) + 10
    short = jwt.encode(claims, project.dotenv()["SECRET_KEY"], "HS256")
    with client(project, url, ROOM) as page:
        page.prove({"token": short})
        page.prove(token(student), renew=True)
        page.hears("frame", type="token_expiring")
        time.sleep(max(claims["exp"] + 1 - time.time(), 0))
        assert page.request("chat_message", message="Still here")["ok"]
        assert page.states() == ["connected"]


def test_who_is_refused_is_asked_for_a_new_proof_once(project, url):
    with client(project, url, ROOM) as page:
        page.prove({"token": "of-nobody"})
        page.prove({"token": "of-nobody"}, renew=True)
        assert page.hears("state", state="closed")["reason"] == "You are not logged in here."


def test_who_is_logged_out_is_told(project, url, person):
    mentor = person("mentor")
    with client(project, url, ROOM) as page:
        page.prove(token(mentor))
        page.hears("state", state="connected")
        new = dict.fromkeys(("new_password1", "new_password2"), mentor.password)
        assert (
            mentor.post("/accounts/password_change/", old_password=mentor.password, **new).status_code == 302
        )
        page.prove(token(mentor), renew=True)
        page.hears("logged_out")


def test_a_path_that_leads_nowhere_is_the_end(project, url, person):
    with client(project, url, "/ws/nowhere/") as page:
        page.prove(token(person("student")))
        assert page.hears("state", state="closed")["reason"] == "This does not exist, or not any more."


def test_a_deploy_is_a_break_in_which_nothing_is_lost_or_said_twice(project, person):
    student = person("student")
    port = free_port()
    with ExitStack() as stack:
        with running(project, port=port) as server:
            page = stack.enter_context(client(project, server.url, ROOM, since=0, ids=IDS))
            page.prove(token(student))
            page.hears("state", state="connected")
            assert page.request("chat_message", message="Before")["ok"]
        page.hears("state", state="reconnecting")
        with running(project, port=port) as server, client(project, server.url, ROOM) as other:
            other.prove(token(student))
            other.hears("state", state="connected")
            assert other.request("chat_message", message="Meanwhile")["ok"]
            page.prove(token(student))
            page.hears("frame", type="chat_message", message="Meanwhile")
            said = [frame["message_id"] for frame in page.frames("chat_message")]
            assert said == sorted(set(said))
