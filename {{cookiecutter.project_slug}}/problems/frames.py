from datetime import datetime

import msgspec

from problems.models import Job, Submission
from realtime.frames import ClientFrame, Connected, Frame


class Submit(ClientFrame, tag="submit"):
    """Have a program judged."""

    problem: str  # its slug
    code: str


class Solve(ClientFrame, tag="solve"):
    """Have a chat model write a program, which is judged as the user's."""

    problem: str


class Extract(ClientFrame, tag="extract"):
    """Have a chat model read a problem from a page; for staff."""

    url: str
    difficulty_rating: int = 0


class Submitted(msgspec.Struct):
    submission_id: int


class JobBegun(msgspec.Struct):
    job_id: int


class SubmissionInfo(msgspec.Struct, kw_only=True):
    submission_id: int
    problem: str
    state: str
    verdict: str
    passed: int
    total: int
    detail: str
    attempt: int
    created_at: datetime


class JobInfo(msgspec.Struct, kw_only=True):
    """What a chat model does; `error` says why nothing came of it."""

    job_id: int
    kind: str
    state: str
    error: str
    detail: str
    problem: str | None
    submission_id: int | None
    attempt: int
    created_at: datetime


class ProblemsConnected(Connected, tag="connection_established"):
    code_chars: int  # that a program may have


class ProblemsSnapshot(Frame, tag="problems_snapshot"):
    """The newest submissions and jobs of the user, the newest last."""

    submissions: list[SubmissionInfo]
    jobs: list[JobInfo]


class SubmissionChanged(Frame, SubmissionInfo, tag="submission_changed"):
    """What has become of a submission."""


class JobChanged(Frame, JobInfo, tag="job_changed"):
    """What has become of a job."""


def of_submission[F: SubmissionInfo](kind: type[F], row: Submission) -> F:
    return kind(
        submission_id=row.pk,
        problem=row.problem.slug,
        state=row.state,
        verdict=row.verdict,
        passed=row.passed,
        total=row.total,
        detail=row.detail,
        attempt=row.attempt,
        created_at=row.created_at,
    )


def of_job[F: JobInfo](kind: type[F], row: Job) -> F:
    return kind(
        job_id=row.pk,
        kind=row.kind,
        state=row.state,
        error=row.error,
        detail=row.detail,
        problem=row.problem.slug if row.problem else None,
        submission_id=row.submission_id,
        attempt=row.attempt,
        created_at=row.created_at,
    )
