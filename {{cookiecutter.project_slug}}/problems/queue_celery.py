"""Who judges: workers of Celery, those of the queue `execution`; chat models are asked by `generation`'s."""

import logging
from datetime import timedelta
from functools import partial

from celery import current_app
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from problems.claims import Work, waiting
from problems.models import Job, Submission

logger = logging.getLogger("problems")

FORGOTTEN = timedelta(minutes=5)  # what was sent so long ago, and still waits, is sent again
MOST = 1000  # of a kind, in one go

TASKS: dict[type[Work], tuple[str, str]] = {
    Submission: ("problems.tasks.judge", "execution"),
    Job: ("problems.tasks.work", "generation"),
}


def start(row: Work) -> None:
    """Have this done after the commit."""
    transaction.on_commit(partial(_send, row))


def wake() -> None:
    """Nobody has to be woken: workers wait for tasks."""


def stop() -> None:
    """Workers are processes of their own."""


def take_up() -> None:
    """Send again what no worker does any more, and what never reached one."""
    forgotten = Q(state="running") | Q(heartbeat_at__lt=timezone.now() - FORGOTTEN)
    for kind in TASKS:
        for row in kind._default_manager.filter(waiting(), forgotten).order_by("pk")[:MOST]:
            kind._default_manager.filter(pk=row.pk, state="queued").update(heartbeat_at=timezone.now())
            _send(row)


def _send(row: Work) -> None:
    task, queue = TASKS[type(row)]
    try:
        current_app.send_task(task, [row.pk], queue=queue)
    except OperationalError as error:
        logger.warning("%s: %s %s is sent again later", error, task, row.pk)
