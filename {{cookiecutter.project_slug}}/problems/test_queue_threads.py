import threading
import time

import pytest

from problems import jobs, queue
from problems.models import Job, Problem, Submission
from problems.submitting import submit
from realtime.database import in_database

SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def problem(transactional_db):
    yield Problem.objects.create(slug="echo", title="Echo", tests=[{"input": "a", "output": "a"}])
    queue.stop()


def until(**fields):
    for _ in range(400):
        row = Submission.objects.get()
        if all(getattr(row, name) == value for name, value in fields.items()):
            return row
        time.sleep(0.05)
    raise AssertionError(f"no {fields}, but {vars(row)}")


async def test_threads_of_the_process_judge(connect, problem, student):
    socket = await connect("/ws/problems/", student)
    await socket.request("submit", problem="echo", code="print(input())")
    while (frame := await socket.receive("submission_changed"))["state"] != "judged":
        pass
    assert frame["verdict"] == "accepted"
    await in_database(queue.stop)()


def test_what_runs_is_left_to_others_when_the_process_ends(problem, student):
    submit(student.pk, "echo", SLEEP)
    until(state="running")
    queue.stop()
    until(state="queued", attempt=1)
    Submission.objects.update(code="print(input())")
    queue.wake()
    until(verdict="accepted", attempt=2)


def test_no_verdict_waits_for_a_chat_model(problem, student, monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr(jobs, "work", lambda pk, *, stop: answered.wait(20))
    Job.objects.bulk_create([Job(owner=student, kind="solve", problem=problem) for _ in range(5)])
    submit(student.pk, "echo", "print(input())")
    until(verdict="accepted")
    Job.objects.all().delete()
    answered.set()
