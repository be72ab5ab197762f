"""Who may have a program judged, and when."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from problems import queue
from problems.models import Problem, Submission, SubscriptionPlan
from problems.notify import tell

CODE_CHARS = 20_000  # of a program; a frame holds more


class NotTaken(Exception):
    """Why a user may not submit this, or not now: a code and a sentence."""

    def __init__(self, code: str, detail: str):
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def submit(user_id: int, problem: str, code: str) -> Submission:
    """Store a user's program for a problem, given by its slug, and have it judged; raises `NotTaken`."""
    if not code.strip():
        raise NotTaken("invalid_message", "There is no program in it.")
    if len(code) > CODE_CHARS or "\0" in code:
        raise NotTaken("invalid_message", f"A program is a text of {CODE_CHARS} characters at most.")
    with transaction.atomic():
        hold(user_id)
        waits = Submission.objects.filter(owner=user_id).exclude(state="judged").count()
        if waits >= settings.JUDGE_QUEUED:
            raise NotTaken("too_many", f"{waits} of your submissions wait already. Let one be judged first.")
        check_plan(user_id)
        return store(user_id, find(problem), code)


def find(slug: str) -> Problem:
    problem = Problem.objects.filter(slug=slug).first() if "\0" not in slug else None
    if problem is None:
        raise NotTaken("not_found", "There is no such problem.")
    return problem


def hold(user_id: int) -> None:
    """Have a user ask one thing after the other, so that no two count the same."""
    get_user_model().objects.select_for_update(no_key=True).only("pk").get(pk=user_id)


def check_plan(user_id: int) -> None:
    """Raise `NotTaken` if a user has had all that the plan allows for a day."""
    plan = SubscriptionPlan.objects.filter(user=user_id).first() or SubscriptionPlan()
    day = timezone.now() - timedelta(days=1)
    if Submission.objects.filter(owner=user_id, created_at__gt=day).count() >= plan.judged_per_day:
        detail = f"Your plan has {plan.judged_per_day} submissions a day. Come back later."
        raise NotTaken("plan_exhausted", detail)


def store(user_id: int, problem: Problem, code: str) -> Submission:
    """Store what is to be judged, whatever the limits."""
    submission = Submission.objects.create(
        owner_id=user_id, problem=problem, code=code, total=len(problem.tests), heartbeat_at=timezone.now()
    )
    tell(submission)
    queue.start(submission)
    return submission
