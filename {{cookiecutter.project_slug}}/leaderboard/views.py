from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render

from leaderboard import standings
from leaderboard.forms import PointsForm, may_give
from leaderboard.live import read


@login_required
def index(request):
    """The table; who may change scores gives points by POST."""
    form = PointsForm(request.POST or None) if may_give(request.user) else None
    if request.method == "POST":
        if form is None:
            raise PermissionDenied
        if form.give():
            return redirect("leaderboard:index")
    rank, score = standings.find(request.user.pk) or (None, None)
    context = {"entries": read(), "rank": rank, "score": score, "form": form}
    return render(request, "leaderboard/index.html", context)
