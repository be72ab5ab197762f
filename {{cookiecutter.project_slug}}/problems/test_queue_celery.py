import logging
from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone
from kombu.exceptions import OperationalError

from problems import queue, tasks
from problems.claims import STALE_SECONDS
from problems.models import Problem, Submission
from problems.submitting import submit


@pytest.fixture
def sent(monkeypatch):
    sent = []

    def send(*arguments, **options):
        sent.append((*arguments, options))

    monkeypatch.setattr(current_app, "send_task", send)
    return sent


@pytest.fixture
def problem(transactional_db):
    return Problem.objects.create(slug="echo", title="Echo", tests=[{"input": "a", "output": "a"}])


def test_workers_that_execute_judge(problem, student, sent):
    row = submit(student.pk, "echo", "print(input())")
    assert sent == [("problems.tasks.judge", [row.pk], {"queue": "execution"})]
    tasks.judge(row.pk)
    assert Submission.objects.get().verdict == "accepted"


def test_what_does_not_reach_the_broker_is_sent_later(problem, student, monkeypatch, caplog, request):
    def fail(*arguments, **options):
        raise OperationalError("no broker")

    with monkeypatch.context() as patched:
        patched.setattr(current_app, "send_task", fail)
        row = submit(student.pk, "echo", "print(input())")
    assert (caplog.records[-1].levelno, "is sent again later" in caplog.text) == (logging.WARNING, True)
    sent = request.getfixturevalue("sent")
    tasks.take_up()
    assert sent == []
    Submission.objects.update(heartbeat_at=timezone.now() - queue.FORGOTTEN)
    for _ in range(2):
        tasks.take_up()
        assert sent == [("problems.tasks.judge", [row.pk], {"queue": "execution"})]


def test_what_a_worker_left_is_sent_again(problem, student, sent):
    submit(student.pk, "echo", "print(input())")
    for seconds, times in ((STALE_SECONDS - 5, 1), (STALE_SECONDS + 1, 2)):
        stale = timezone.now() - timedelta(seconds=seconds)
        Submission.objects.update(state="running", heartbeat_at=stale)
        tasks.take_up()
        assert len(sent) == times


def test_the_clock_takes_up_what_was_left():
    entries = [entry["task"] for entry in current_app.conf.beat_schedule.values()]
    assert "problems.tasks.take_up" in entries
