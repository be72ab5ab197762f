from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, render

from problems.models import Problem, Submission
from problems.submitting import CODE_CHARS

SHOWN = 200  # problems in the list


@login_required
def index(request):
    own = Submission.objects.filter(owner=request.user, problem=OuterRef("pk"))
    solved = Exists(own.filter(verdict=Submission.Verdict.ACCEPTED))
    problems = Problem.objects.annotate(solved=solved, tried=Exists(own)).defer("tests", "statement")
    return render(request, "problems/index.html", {"problems": problems[:SHOWN]})


@login_required
def problem(request, slug):
    found = get_object_or_404(Problem, slug=slug)
    newest = Submission.objects.filter(owner=request.user, problem=found).last()
    return render(
        request,
        "problems/problem.html",
        {
            "problem": found,
            "example": found.tests[0] if found.tests else None,
            "code": newest.code if newest else "",
            "code_chars": CODE_CHARS,
        },
    )
