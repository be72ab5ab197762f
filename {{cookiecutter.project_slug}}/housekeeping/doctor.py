"""What `manage.py test_websocket` asks about tasks."""

from config.celery import app
from realtime.doctor_client import Problem

SECONDS = 2  # for workers to answer


def worker() -> str:
    """Say how many workers there are, if each queue has one that takes from it."""
    answers = app.control.inspect(timeout=SECONDS).active_queues() or {}
    if not answers:
        raise Problem("no worker answers, so tasks wait. Start one: `celery --app config worker`.")
    taken = {queue["name"] for queues in answers.values() for queue in queues}
    if idle := app.amqp.queues.keys() - taken:
        raise Problem(f"no worker takes from {', '.join(sorted(idle))}. Name it in `--queues` of one.")
    return f"ok, {len(answers)} running"


checks = {"worker": worker}
