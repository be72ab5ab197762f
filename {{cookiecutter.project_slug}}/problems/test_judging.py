"""A submission's way to its verdict, where the test itself is the worker."""

from datetime import timedelta
from threading import Event

import pytest
from django.core.management import call_command
from django.utils import timezone

from problems import claims, judging, sandbox
from problems.claims import Claim, Lost
from problems.judging import judge
from problems.models import Problem, Submission, SubscriptionPlan
from problems.submitting import CODE_CHARS, NotTaken, submit
from realtime.database import in_database

PATH = "/ws/problems/"
SUM = "print(int(input()) + int(input()))"


@pytest.fixture(autouse=True)
def begun(monkeypatch):
    """What would be handed to workers, of which there are none."""
    begun = []
    monkeypatch.setattr("problems.queue.start", begun.append)
    monkeypatch.setattr("problems.consumers.wake", lambda: None)
    return begun


@pytest.fixture
def problem(transactional_db):
    tests = [{"input": f"{a}\n{b}\n", "output": f"{a + b}\n"} for a, b in ((1, 2), (-5, 5), (999, 1))]
    return Problem.objects.create(slug="sum", title="A sum", tests=tests)


def handed_in(student, code=SUM):
    return submit(student.pk, "sum", code)


def age(submission, seconds):
    long_ago = timezone.now() - timedelta(seconds=seconds)
    Submission.objects.filter(pk=submission.pk).update(heartbeat_at=long_ago)


async def test_a_submission_is_judged_while_its_owner_watches(connect, problem, student, mentor, begun):
    socket, other = await connect(PATH, student), await connect(PATH, mentor)
    assert (await socket.receive())["submissions"] == []
    pk = (await socket.request("submit", problem="sum", code=SUM))["submission_id"]
    assert [row.pk for row in begun] == [pk]
    await in_database(judge)(pk)
    frames = [await socket.receive("submission_changed")]
    while frames[-1]["state"] != "judged":
        frames.append(await socket.receive("submission_changed"))
    last = frames[-1]
    assert [frame["state"] for frame in frames][:2] == ["queued", "running"]
    assert {frame["submission_id"] for frame in frames} == {pk}
    assert (last["verdict"], last["passed"], last["total"], last["problem"]) == ("accepted", 3, 3, "sum")
    assert (await other.receive())["submissions"] == []
    await other.send("ping")
    assert await other.receive() == {"type": "pong"}

    again = await connect(PATH, student)
    assert (await again.receive("problems_snapshot"))["submissions"] == [
        {name: value for name, value in last.items() if name != "type"}
    ]


@pytest.mark.parametrize(
    ("code", "verdict", "passed", "words"),
    [
        (SUM, "accepted", 3, ""),
        ("print('3  ')", "wrong_answer", 1, "Test 2: line 1 is wrong: '3'."),
        ("print(3, 3, sep='\\n')", "wrong_answer", 0, "Test 1: it wrote 2 lines instead of 1."),
        ("1 / (int(input()) - 1)", "runtime_error", 0, "ZeroDivisionError"),
        ("x = bytearray(10**9)", "memory_limit", 0, "Test 1: "),
    ],
)
def test_verdicts(problem, student, code, verdict, passed, words):
    pk = handed_in(student, code).pk
    judge(pk)
    done = Submission.objects.get(pk=pk)
    assert (done.state, done.verdict, done.passed, done.total) == ("judged", verdict, passed, 3)
    assert words in done.detail
    assert done.judged_at
    judge(pk)
    assert Submission.objects.get(pk=pk).attempt == 1


def test_what_is_not_taken(problem, student, settings):
    for slug, code, reason in (
        ("sum", " \n", "invalid_message"),
        ("sum", "x" * (CODE_CHARS + 1), "invalid_message"),
        ("sum", "\0", "invalid_message"),
        ("nothing", SUM, "not_found"),
        ("\0", SUM, "not_found"),
    ):
        with pytest.raises(NotTaken) as refusal:
            submit(student.pk, slug, code)
        assert refusal.value.code == reason
    settings.JUDGE_QUEUED = 2
    rows = [handed_in(student) for _ in range(2)]
    with pytest.raises(NotTaken, match="2 of your submissions wait already"):
        handed_in(student)
    judge(rows[0].pk)
    handed_in(student)
    SubscriptionPlan.objects.create(user=student, judged_per_day=3)
    judge(rows[1].pk)
    with pytest.raises(NotTaken, match="Your plan has 3 submissions a day"):
        handed_in(student)
    Submission.objects.update(created_at=timezone.now() - timedelta(days=1))
    handed_in(student)


async def test_a_refusal_is_an_error_frame(connect, problem, student):
    socket = await connect(PATH, student)
    await socket.receive("problems_snapshot")
    for fields, code in (
        ({"problem": "nothing", "code": "x"}, "not_found"),
        ({"problem": "sum"}, "invalid_message"),
        ({"problem": "sum", "code": "x" * (CODE_CHARS + 1)}, "invalid_message"),
    ):
        await socket.send("submit", id=1, **fields)
        assert (await socket.receive("error"))["code"] == code
    await socket.send("extract", id=1, url="https://example.com/")
    assert (await socket.receive("error"))["code"] == "not_allowed"


def test_one_worker_judges(problem, student):
    row = handed_in(student)
    claim = Claim(Submission, row.pk)
    with pytest.raises(Lost):
        Claim(Submission, row.pk)
    judge(row.pk)
    claim.keep(passed=1)
    age(row, claims.STALE_SECONDS + 1)
    judge(row.pk)
    done = Submission.objects.get(pk=row.pk)
    assert (done.verdict, done.attempt) == ("accepted", 2)
    with pytest.raises(Lost):
        claim.store(state="judged", verdict="wrong_answer")
    assert Submission.objects.get(pk=row.pk).verdict == "accepted"


def test_what_was_given_back_is_done_at_once(problem, student):
    row = handed_in(student)
    Claim(Submission, row.pk)
    judge(row.pk, gone=True)
    assert Submission.objects.get(pk=row.pk).verdict == "accepted"


def test_a_worker_that_loses_its_submission_ends_the_program(problem, student, monkeypatch):
    monkeypatch.setattr(sandbox, "SLICE_SECONDS", 0.05)
    monkeypatch.setattr(judging, "BEAT_SECONDS", 0)
    row = handed_in(student, "import time; time.sleep(60)")
    claim = Claim(Submission, row.pk)

    def alive(self):
        Submission.objects.filter(pk=row.pk).update(attempt=9)
        self.claim.keep()

    monkeypatch.setattr(judging._Judge, "_alive", alive)
    judge(row.pk, gone=True)
    assert Submission.objects.get(pk=row.pk).state == "running"
    assert claim.row.attempt == 1


def test_a_worker_that_is_stopped_leaves_it_to_others(problem, student):
    stop = Event()
    stop.set()
    row = handed_in(student)
    judge(row.pk, stop=stop.is_set)
    assert Submission.objects.get(pk=row.pk).state == "queued"
    judge(row.pk)
    assert Submission.objects.get(pk=row.pk).verdict == "accepted"


def test_a_program_that_ends_workers_is_given_up(problem, student):
    row = handed_in(student)
    for _ in range(claims.ATTEMPTS):
        Claim(Submission, row.pk, gone=True)
    judge(row.pk, gone=True)
    done = Submission.objects.get(pk=row.pk)
    assert (done.verdict, "died over it" in done.detail) == ("internal_error", True)


def test_a_judge_that_cannot_run_anything_says_so(problem, student, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    row = handed_in(student)
    judge(row.pk)
    done = Submission.objects.get(pk=row.pk)
    assert (done.verdict, "Install the package bubblewrap" in done.detail) == ("internal_error", True)


def test_whoever_is_deleted_needs_no_verdict(problem, student, mentor):
    row = handed_in(student)
    student.delete()
    judge(row.pk)
    assert not Submission.objects.exists()


def test_the_demo_has_problems(transactional_db, settings):
    settings.DEBUG = True
    for _ in range(2):
        call_command("createdemo")
    assert Problem.objects.count() == 2
