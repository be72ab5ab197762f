from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, render

from problems.models import Problem
from problems.progress import list_for, newest_code
from problems.submitting import CODE_CHARS


@login_required
def index(request):
    return render(request, "problems/index.html", {"problems": list_for(request.user)})


@login_required
def problem(request, slug):
    found = get_object_or_404(Problem, slug=slug)
    return render(
        request,
        "problems/problem.html",
        {
            "problem": found,
            "example": found.tests[0] if found.tests else None,
            "code": newest_code(request.user, found),
            "code_chars": CODE_CHARS,
        },
    )
