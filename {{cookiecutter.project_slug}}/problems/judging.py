"""What a worker does with a submission: it runs the program against each test of the problem."""

import logging
import time
from collections.abc import Callable

from django.db import DatabaseError
from django.utils import timezone

from problems import sandbox
from problems.claims import BEAT_SECONDS, Claim, Lost, Stopped
from problems.models import Submission
from problems.notify import tell

logger = logging.getLogger("problems")

MOST_SECONDS = 300  # for all tests of a submission
PROGRESS_SECONDS = 0.2  # between two signs of progress

Verdict = Submission.Verdict


def judge(pk: int, *, gone: bool = False, stop: Callable[[], bool] = lambda: False) -> None:
    """Judge a submission, unless that was done, or another worker does it.

    `gone`: whoever had begun is known to be dead. When `stop` says so, it is left to others.
    """
    try:
        claim = Claim(Submission, pk, gone=gone)
        tell(claim.row)
        try:
            verdict, detail = _Judge(claim, stop).verdict()
        except Stopped:
            claim.give_back()
        else:
            said = {"verdict": verdict, "detail": detail, "passed": claim.row.passed}
            claim.store(state="judged", judged_at=timezone.now(), **said)
        tell(claim.row)
    except Lost:
        logger.debug("submission %s is judged by another worker, or gone", pk)


class _Judge:
    """Runs a submission against the tests of its problem, one after the other."""

    def __init__(self, claim: Claim[Submission], stop: Callable[[], bool]):
        self.claim, self.submission, self.stop = claim, claim.row, stop
        self.deadline = time.monotonic() + MOST_SECONDS
        self.beat_at = self.told_at = time.monotonic()

    def verdict(self) -> tuple[Verdict, str]:
        if self.claim.is_hopeless:
            return Verdict.INTERNAL_ERROR, "Each worker that tried to judge it has died over it."
        try:
            return self._run_tests()
        except sandbox.Unavailable as error:
            logger.error("submission %s cannot be judged: %s", self.submission.pk, error)
            return Verdict.INTERNAL_ERROR, str(error)
        except (Lost, Stopped, DatabaseError):
            raise
        except Exception:
            logger.exception("submission %s could not be judged", self.submission.pk)
            return Verdict.INTERNAL_ERROR, "Something went wrong on the server."

    def _run_tests(self) -> tuple[Verdict, str]:
        problem = self.submission.problem
        self.claim.keep(passed=0, total=len(problem.tests))
        for number, test in enumerate(problem.tests, 1):
            outcome = sandbox.run(
                self.submission.code,
                test["input"],
                cpu_ms=problem.time_limit_ms,
                memory_mib=problem.memory_mib,
                alive=self._alive,
            )
            if outcome.problem:
                return Verdict(outcome.problem), f"Test {number}: {outcome.detail}"
            if lines(outcome.output) != lines(test["output"]):
                return Verdict.WRONG_ANSWER, f"Test {number}: {_difference(outcome.output, test['output'])}"
            if time.monotonic() > self.deadline:
                return Verdict.TIME_LIMIT, f"All tests together took more than {MOST_SECONDS} s."
            self._passed(number)
        return Verdict.ACCEPTED, ""

    def _passed(self, number: int) -> None:
        self.submission.passed = number
        if number == self.submission.total or time.monotonic() > self.told_at + PROGRESS_SECONDS:
            self.told_at = time.monotonic()
            self.claim.keep(passed=number)
            tell(self.submission)
        self._alive()

    def _alive(self) -> None:
        if self.stop():
            raise Stopped
        if time.monotonic() > self.beat_at + BEAT_SECONDS:
            self.beat_at = time.monotonic()
            self.claim.keep()


def lines(text: str) -> list[str]:
    """What counts of an output: spaces at the ends of lines, and empty lines at its end, do not."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _difference(output: str, expected: str) -> str:
    """Say where an output is wrong, but not what would be right, which is the problem's secret."""
    own, right = lines(output), lines(expected)
    for number, (line, wanted) in enumerate(zip(own, right, strict=False), 1):
        if line != wanted:
            return f"line {number} is wrong: {line[:100]!r}."
    return f"it wrote {len(own)} lines instead of {len(right)}."
