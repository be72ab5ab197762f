"""What workers of Celery do, and once a minute their clock."""

from celery import shared_task
from celery.schedules import crontab

from config.celery import app
from problems import jobs, judging, queue

# What a killed worker had begun Celery gives back, at once or after its time limit; take_up is faster.


@shared_task(bind=True)
def judge(self, submission_id: int) -> None:
    judging.judge(submission_id, gone=was_given_back(self))


@shared_task(bind=True)
def work(self, job_id: int) -> None:
    jobs.work(job_id, gone=was_given_back(self))


@shared_task
def take_up() -> None:
    queue.take_up()


def was_given_back(task) -> bool:
    """Whether the worker that had this task is known to be gone."""
    return bool((task.request.delivery_info or {}).get("redelivered"))


app.add_periodic_task(crontab(), app.signature("problems.tasks.take_up"), name="take up what was left")
