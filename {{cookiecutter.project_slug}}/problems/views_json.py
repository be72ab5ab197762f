"""The problems as whoever asks sees them; what all see alike, and submissions, come from views.py."""

from django.shortcuts import get_object_or_404

from config.json_views import json_view
from problems.models import Problem
from problems.progress import list_for, newest_code
from problems.serializers import ProblemSerializer
from problems.submitting import CODE_CHARS


@json_view("GET")
def index(request):
    return list(list_for(request.user).values("slug", "title", "difficulty", "solved", "tried"))


@json_view("GET")
def problem(request, slug):
    """A problem with its first test as the example, and the program that the user has handed in last."""
    found = get_object_or_404(Problem, slug=slug)
    return {
        **ProblemSerializer(found).data,
        "example": found.tests[0] if found.tests else None,
        "code": newest_code(request.user, found),
        "code_chars": CODE_CHARS,
    }
