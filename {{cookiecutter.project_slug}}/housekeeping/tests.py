from datetime import timedelta
from unittest.mock import Mock

import pytest
from celery import shared_task
from celery.exceptions import QueueNotFound
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from config import tasks as settings
from config.celery import app
from housekeeping import doctor
from housekeeping.tasks import clean_up
from realtime.doctor_client import Problem
from realtime.publish import publish


@shared_task
def tell():
    publish("tests", {"type": "told"})


def test_what_has_expired_is_deleted(db):
    for key, days in (("old", -1), ("new", 1)):
        Session.objects.create(session_key=key, expire_date=timezone.now() + timedelta(days=days))
    clean_up()
    clean_up()
    assert [session.session_key for session in Session.objects.all()] == ["new"]


def test_the_clock_starts_tasks_that_there_are():
    app.autodiscover_tasks(force=True)
    assert {entry["task"] for entry in settings.beat_schedule.values()} <= app.tasks.keys()


def test_a_task_ends_before_it_is_given_to_another_worker():
    conf = app.conf
    assert conf.task_soft_time_limit < conf.task_time_limit
    assert conf.task_time_limit < conf.broker_transport_options["visibility_timeout"]
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost) == (True, True)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://:p%40ss@host:6379/1", "redis://:p%40ss@host:6379/1"),
        ("rediss://host", "rediss://host?ssl_cert_reqs=required&ssl_check_hostname=true"),
        ("rediss://host/0?ssl_cert_reqs=none", "rediss://host/0?ssl_cert_reqs=none&ssl_check_hostname=false"),
        ("unix:///run/redis.sock?db=2", "redis+socket:///run/redis.sock?virtual_host=2"),
    ],
)
def test_the_broker_is_written_as_celery_takes_it(url, expected):
    assert settings.for_celery(url) == expected


def test_a_queue_that_nobody_serves_is_refused():
    with pytest.raises(QueueNotFound):
        tell.apply_async(queue="defualt")


def test_a_task_waits_for_the_commit_and_does_not_survive_a_rollback(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        with transaction.atomic():
            tell.delay_on_commit()
        with transaction.atomic():
            tell.delay_on_commit()
            transaction.set_rollback(True)
    assert len(callbacks) == 1


async def test_what_a_task_published_is_sent_when_it_ends(monkeypatch):
    flushed = []
    monkeypatch.setattr("realtime.publish.flush", lambda: flushed.append(True))
    tell.apply()
    assert flushed == [True]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (None, "no worker answers"),
        ({"worker@here": [{"name": "default"}, {"name": "execution"}]}, "no worker takes from generation."),
    ],
)
def test_the_doctor_says_what_tasks_wait_for(answers, words, monkeypatch):
    monkeypatch.setattr(app.control, "inspect", lambda timeout: Mock(active_queues=lambda: answers))
    with pytest.raises(Problem, match=words):
        doctor.worker()
