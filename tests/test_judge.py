"""The judge with real workers: verdicts arrive at two processes, and what a dead worker left is judged once.

Chat models are played by the project's own fake, over HTTP, and the page that one reads is served here.
"""

import json
import signal
import subprocess
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, contextmanager, suppress
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
SLOWLY = f"import time; time.sleep(0.5); {SUM}"  # four tests of it take two seconds
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
def site(request, installed, page, tmp_path_factory):
    """Two processes that serve, who is logged in there, and a worker, all with fake chat models."""
    project = hasten(installed(request.param))
    hosts = {"PROBLEMS_ALLOWED_HOSTS": f"example.com,{HOST}:{page}"}
    with ExitStack() as stack:
        log = tmp_path_factory.mktemp("models") / "log"
        variables = stack.enter_context(chat_models(project, log)) | hosts
        one, other = (stack.enter_context(running(project, **variables)) for _ in range(2))
        student = stack.enter_context(closing(Person(one.url, "student", "session")))
        workers = []

        def worker():
            """The worker that runs; a new one, if the last was killed."""
            if not workers or workers[-1].poll() is not None:
                workers.append(stack.enter_context(celery(project, "worker", **variables)))
            return workers[-1]

        yield SimpleNamespace(project=project, one=one, other=other, student=student, worker=worker)


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
    site.worker()
    async with watching(site.student, site.one.url, site.other.url) as sockets:
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
    async with watching(site.student, site.one.url) as [socket]:
        worker = site.worker()
        pk = await submit(socket, SLOWLY)
        await until(lambda: programs_of(worker), within=40)
        programs = programs_of(worker)
        if what == "child":
            for child in psutil.Process(worker.pid).children():
                child.kill()
            *_, last = await judged(socket, pk)
        else:
            kill(worker)
            site.worker()
            last = {"state": "running"}
            while last["state"] != "judged":  # as beat does, each minute
                site.project.manage("shell", "-c", "from problems.tasks import take_up; take_up()")
                with suppress(AssertionError):
                    *_, last = await judged(socket, pk, within=3)
        assert psutil.wait_procs(programs, timeout=10)[1] == [], "it outlived its worker"
    assert (last["verdict"], last["attempt"]) == ("accepted", 2), last


async def test_a_model_reads_a_problem_and_another_one_solves_it(site, page):
    site.worker()
    with closing(Person(site.one.url, "admin", "session")) as admin:
        async with watching(admin, site.one.url) as [socket]:
            asked = await socket.request("extract", url=f"http://{HOST}:{page}/sum", difficulty_rating=900)
            done = await finished(socket, asked["job_id"])
            assert (done["error"], done["problem"]) == ("", "sum-of-two"), done
            answer = await socket.request("extract", url="http://169.254.169.254/")
            assert (answer["type"], answer["code"]) == ("error", "host_not_allowed")
            asked = await socket.request("extract", url=f"http://{HOST}:{page}/away")
            assert (await finished(socket, asked["job_id"]))["error"] == "redirected"
    student = site.student
    async with watching(student, site.other.url) as [socket]:
        headers = {"Authorization": f"Bearer {student.tokens['access']}"}
        answer = student.browser.post("/api/problems/sum-of-two/solve/", headers=headers)
        assert answer.status_code == 202, answer.text
        done = await finished(socket, answer.json()["job_id"])
        assert done["error"] == "", done
        *_, last = await judged(socket, done["submission_id"])
        assert (last["verdict"], last["problem"]) == ("accepted", "sum-of-two")
    assert "fake-key" not in site.one.output() + site.other.output() + site.worker().said()


async def finished(socket, job):
    """Return what a socket is told of a job at its end."""
    while True:
        frame = await socket.frame("job_changed", 40)
        if (frame["job_id"], frame["state"]) == (job, "done"):
            return frame


@pytest.fixture(scope="module")
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


@contextmanager
def chat_models(project, log):
    """Run the project's fake of chat models; yields the variables that lead there."""
    command = [project.folder / ".venv/bin/python", "-m", "integrations.llm.fake", str(free_port())]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=project.folder, env=ENVIRONMENT, stdout=output)
    try:
        until_served(lambda: log.read_text().count("_BASE_URL=") == 2, 30, process, log.read_text)
        words = log.read_text().replace("=fake\n", "=fake-key\n").split()
        yield dict(word.split("=", 1) for word in words)
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("variant", each([ALONE]))
async def test_without_celery_the_server_judges_and_the_next_one_goes_on(variant, installed):
    project, student, pk = hasten(installed(variant)), None, None
    for number in (signal.SIGKILL, signal.SIGTERM, None):
        with running(project) as server:
            student = student.at(server.url) if student else Person(server.url, "student", "session")
            if pk:  # nobody opens a page meanwhile
                await until(lambda student=student, pk=pk: verdict_of(student, pk), 40, server)
                assert (verdict_of(student, pk), state_of(project, pk)) == ("accepted", ["judged", "2"])
            if number is None:
                break
            async with watching(student, server.url) as [socket]:
                pk = await submit(socket, SLOWLY)
                await until(lambda server=server: programs_of(server.process), within=40)
                assert await socket.ping() < 5
                server.process.send_signal(number)
                await socket.closed(within=20)
        if number == signal.SIGTERM:
            assert state_of(project, pk) == ["queued", "1"]
    student.close()


def verdict_of(student, pk):
    return student.browser.get(f"{student.url}/api/submissions/{pk}/").json()["verdict"]
