"""The judge with real workers: verdicts arrive at two processes, and what a dead worker left is judged once.

Chat models are played by the project's own fake, over HTTP, and the page that one reads is served here.
"""

import json
import signal
import subprocess
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace

import psutil
import pytest

from client import Person
from polling import until, until_served
from services import HOST, free_port
from serving import ENVIRONMENT, each, running
from variants import first
from working import celery, kill

PATH = "/ws/problems/"
CHOSEN = {"consumers": "problems", "integrations": "openai, gemini", "rest_api": "drf"}
WITH_CELERY, ALONE = (
    first(server="uvicorn", channel_layer=layer, auth="session_jwt") | CHOSEN | {"tasks": tasks}
    for layer, tasks in (("redis", "celery"), ("memory", "none"))
)

SUM = "print(int(input()) + int(input()))"
SLOWLY = f"import time; time.sleep(1); {SUM}"  # four tests of it take four seconds
SOLUTION = json.dumps({"solution_code": SUM})
FORM = {
    "title": "Sum of two",
    "statement": f"Add. fake:says {SOLUTION}",
    "examples": [{"input": "1\n2\n", "output": "3\n"}],
    "time_limit_ms": 1000,
    "memory_mib": 128,
}
PAGE = f"<h1>Sum of two</h1><script>track()</script><p>fake:says {json.dumps(FORM)}</p>"


def hasten(project):
    """Have workers count as dead sooner, and programs end sooner."""
    claims = project.folder / "problems/claims.py"
    code = claims.read_text().replace("STALE_SECONDS = 15", "STALE_SECONDS = 3")
    claims.write_text(code.replace("BEAT_SECONDS = 5", "BEAT_SECONDS = 0.5"))
    code = "from problems.models import Problem; Problem.objects.update(time_limit_ms=500)"
    project.manage("shell", "-v", "0", "-c", code)
    return project


@pytest.fixture(scope="module", params=each([WITH_CELERY]))
def project(request, installed):
    project = installed(request.param)
    return hasten(project)


@pytest.fixture(scope="module")
def site(project):
    """Two processes that serve, and who is logged in there."""
    with (
        running(project) as one,
        running(project) as other,
        closing(Person(one.url, "student", "session")) as student,
    ):
        yield SimpleNamespace(project=project, other=other, student=student)


@asynccontextmanager
async def watching(person, *urls):
    """Open a socket of a person at each of these servers."""
    async with AsyncExitStack() as stack:
        sockets = []
        for url in urls:
            socket = await stack.enter_async_context(person.at(url).open(PATH))
            await socket.frame("problems_snapshot")
            sockets.append(socket)
        yield sockets


async def submit(socket, code, problem="sum"):
    answer = await socket.request("submit", problem=problem, code=code)
    assert answer["type"] == "reply", answer
    return answer["submission_id"]


async def judged(socket, pk, within=40):
    """Return all that a socket is told of a submission, until its verdict."""
    frames = []
    while not frames or frames[-1]["state"] != "judged":
        frame = await socket.frame("submission_changed", within)
        frames += [frame] if frame["submission_id"] == pk else []
    return frames


def programs_of(worker):
    """Return the sandboxes that run below a worker."""
    processes = psutil.Process(worker.pid).children(recursive=True)
    return [process for process in processes if process.name() == "bwrap"]


def state_of(project, pk):
    code = f"from problems.models import Submission as S; s = S.objects.get(pk={pk})"
    output = project.manage("shell", "-v", "0", "-c", f"{code}\nprint(s.state, s.attempt)")
    return output.split()[-2:]


async def test_verdicts_arrive_at_both_processes(site):
    expected = {
        SUM: ("accepted", 4),
        "print(3)": ("wrong_answer", 1),
        "while True: pass": ("time_limit", 0),
        "import os; os.fork()": ("runtime_error", 0),
    }
    urls = (site.student.url, site.other.url)
    with celery(site.project, "worker", CELERY_WORKER_CONCURRENCY="2"):
        async with watching(site.student, *urls) as sockets:
            asked = {await submit(sockets[0], code): code for code in expected}
            for socket in sockets:
                frames = []
                while sum(frame["state"] == "judged" for frame in frames) < len(asked):
                    frames.append(await socket.frame("submission_changed", 40))
                for pk, code in asked.items():
                    *before, last = [frame for frame in frames if frame["submission_id"] == pk]
                    assert (last["verdict"], last["passed"], last["total"]) == (*expected[code], 4)
                    assert {frame["state"] for frame in before} == {"queued", "running"}


@pytest.mark.parametrize("what", ["child", "worker"])
async def test_what_a_killed_worker_had_begun_is_judged_once(site, what):
    project = site.project
    async with watching(site.student, site.student.url) as [socket]:
        with celery(project, "worker") as worker:
            pk = await submit(socket, SLOWLY)
            while (await socket.frame("submission_changed", 40))["passed"] == 0:
                pass
            await until(lambda: programs_of(worker), within=10)
            programs = programs_of(worker)
            if what == "worker":
                kill(worker)
            else:
                for child in psutil.Process(worker.pid).children():
                    child.kill()
                *_, last = await judged(socket, pk)
            psutil.wait_procs(programs, timeout=5)
            assert not [program for program in programs if program.is_running()], "it outlived its worker"
        if what == "worker":
            with celery(project, "worker"):
                last = {"state": "running"}
                while last["state"] != "judged":  # as beat does
                    project.manage("shell", "-v", "0", "-c", "from problems.tasks import take_up; take_up()")
                    with suppress(AssertionError):
                        *_, last = await judged(socket, pk, within=3)
    assert (last["verdict"], last["attempt"]) == ("accepted", 2), last


async def test_a_model_reads_a_problem_and_another_one_solves_it(project, page, models, valkey):
    variables = models | {"PROBLEMS_ALLOWED_HOSTS": f"example.com,{HOST}:{page}"}
    with (
        running(project, **variables) as server,
        celery(project, "worker", **variables),
        closing(Person(server.url, "admin", "session")) as admin,
        closing(Person(server.url, "student", "jwt")) as student,
    ):
        async with watching(admin, server.url) as [socket]:
            url = f"http://{HOST}:{page}/sum"
            asked = await socket.request("extract", url=url, difficulty_rating=900)
            frames = [await socket.frame("job_changed", 40) for _ in range(3)]
            assert [frame["state"] for frame in frames] == ["queued", "running", "done"], frames
            assert (frames[-1]["job_id"], frames[-1]["problem"]) == (asked["job_id"], "sum-of-two"), frames
            for bad, code in (
                ("http://169.254.169.254/", "host_not_allowed"),
                (f"http://{HOST}:{page}/away", None),
            ):
                answer = await socket.request("extract", url=bad)
                if code:
                    assert (answer["type"], answer["code"]) == ("error", code)
                else:
                    while (frame := await socket.frame("job_changed", 40))["state"] != "done":
                        pass
                    assert frame["error"] == "redirected"
        async with watching(student, server.url) as [socket]:
            headers = {"Authorization": f"Bearer {student.tokens['access']}"}
            answer = student.browser.post("/api/problems/sum-of-two/solve/", headers=headers)
            assert answer.status_code == 202, answer.text
            frames = [await socket.frame("job_changed", 40) for _ in range(3)]
            pk = frames[-1]["submission_id"]
            assert frames[-1]["job_id"] == answer.json()["job_id"]
            *_, last = await judged(socket, pk)
            assert (last["verdict"], last["problem"]) == ("accepted", "sum-of-two")
        said = server.output()
    assert "fake-key" not in said


@pytest.fixture
def page():
    """Serve a page, and one that leads away; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("Location", "http://example.com/")
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.encode())

        def log_message(self, *arguments): ...

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def models(project, tmp_path):
    """Run the project's fake of chat models; yields the variables that lead there."""
    log = tmp_path / "fake.log"
    with log.open("wb") as output:
        command = [project.folder / ".venv/bin/python", "-m", "integrations.llm.fake", str(free_port())]
        process = subprocess.Popen(command, cwd=project.folder, env=ENVIRONMENT, stdout=output)
    try:
        until_served(lambda: log.read_text().count("_BASE_URL=") == 2, 30, process, log.read_text)
        words = log.read_text().replace("=fake\n", "=fake-key\n").split()
        yield dict(word.split("=", 1) for word in words)
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("variant", each([ALONE]))
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
async def test_without_celery_the_server_judges_and_the_next_one_goes_on(variant, number, installed):
    project = hasten(installed(variant))
    with running(project) as server:
        student = Person(server.url, "student", "session")
        async with watching(student, server.url) as [socket]:
            pk = await submit(socket, SLOWLY)
            while (await socket.frame("submission_changed", 40))["passed"] == 0:
                pass
            took = [await socket.ping() for _ in range(5)]
            server.process.send_signal(number)
            await socket.closed(within=20)
    if number == signal.SIGTERM:
        assert state_of(project, pk) == ["queued", "1"]
    with running(project) as server:
        async with watching(student, server.url) as [socket]:
            *_, last = await judged(socket, pk)
    student.close()
    assert (last["verdict"], last["attempt"]) == ("accepted", 2), last
    assert max(took) < 5
