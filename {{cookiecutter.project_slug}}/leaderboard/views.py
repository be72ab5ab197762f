from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render

from leaderboard import standings
from leaderboard.live import read
from leaderboard.models import MOST
from leaderboard.scores import add_score


class PointsForm(forms.Form):
    user = forms.ModelChoiceField(
        get_user_model().objects,
        to_field_name="username",
        widget=forms.TextInput,
        error_messages={"invalid_choice": "There is no such user."},
    )
    points = forms.FloatField(initial=1, min_value=-MOST, max_value=MOST)


@login_required
def index(request):
    """The table; who may change scores gives points by POST."""
    may_change = request.user.has_perm("leaderboard.change_score")
    form = PointsForm(request.POST or None)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    if request.method == "POST" and form.is_valid():
        try:
            add_score(form.cleaned_data["user"].pk, form.cleaned_data["points"])
            return redirect("leaderboard:index")
        except ValueError as error:
            form.add_error("points", str(error))
    rank, score = standings.find(request.user.pk) or (None, None)
    context = {"entries": read(), "rank": rank, "score": score, "form": form if may_change else None}
    return render(request, "leaderboard/index.html", context)
