from django.core.exceptions import PermissionDenied

from config.json_views import json_view, refused, to_form
from leaderboard import standings
from leaderboard.forms import PointsForm, may_give
from leaderboard.live import read


@json_view("GET", "POST")
def index(request):
    """The table; who may change scores gives points by POST."""
    if request.method != "POST":
        rank, score = standings.find(request.user.pk) or (None, None)
        you = {"rank": rank, "score": score}
        return {"entries": read(), "you": you, "may_give": may_give(request.user)}
    if not may_give(request.user):
        raise PermissionDenied
    form = to_form(request, PointsForm)
    if not form.give():
        raise refused(form)
