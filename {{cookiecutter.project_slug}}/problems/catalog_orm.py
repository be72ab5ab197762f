"""Where what is public of a problem is looked up: in the database."""

from typing import Any

from problems.models import Problem
from problems.serializers import ProblemSerializer


async def find(slug: str) -> dict[str, Any] | None:
    """Return a problem as the API shows it; None if there is none with that slug."""
    problem = await Problem.objects.filter(slug=slug).afirst()
    return dict(ProblemSerializer(problem).data) if problem else None


def refresh(slug: str) -> None:
    """Hear of a change: nothing is kept here."""
