"""What a user has made of the problems."""

from django.db.models import Exists, OuterRef, QuerySet

from problems.models import Problem, Submission

SHOWN = 200  # problems in the list


def list_for(user) -> QuerySet[Problem]:
    """Return the problems, and whether the user has `solved` and `tried` each."""
    own = Submission.objects.filter(owner=user, problem=OuterRef("pk"))
    solved = Exists(own.filter(verdict=Submission.Verdict.ACCEPTED))
    return Problem.objects.annotate(solved=solved, tried=Exists(own)).defer("tests", "statement")[:SHOWN]


def newest_code(user, problem: Problem) -> str:
    """Return the program that the user has handed in last."""
    newest = Submission.objects.filter(owner=user, problem=problem).last()
    return newest.code if newest else ""
