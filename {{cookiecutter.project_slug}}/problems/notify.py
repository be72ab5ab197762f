"""Tells users what has become of their submissions and jobs, in all processes, once it is stored."""

from functools import partial

from django.db import transaction

from problems.frames import JobChanged, SubmissionChanged, of_job, of_submission
from problems.models import Job, Submission
from realtime.publish import publish


def group_of(user_id: int) -> str:
    return f"problems.{user_id}"


def tell(row: Submission | Job) -> None:
    """Push what a row says now to its owner, from sync code."""
    frame = of_job(JobChanged, row) if isinstance(row, Job) else of_submission(SubmissionChanged, row)
    transaction.on_commit(partial(publish, group_of(row.owner_id), frame))
