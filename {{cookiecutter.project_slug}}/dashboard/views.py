from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.mentors import may_supervise
from dashboard.notify import notify_dashboard


@login_required
def index(request):
    check_supervises(request.user)
    return render(request, "dashboard/index.html")


@login_required
@require_POST
def test(request):
    """Send an event, to watch it arrive."""
    check_supervises(request.user)
    message = request.POST.get("message") or "It works: this came over the WebSocket."
    notify_dashboard("test", {"message": message[:200], "from": request.user.get_username()})
    return redirect("dashboard:index")


def check_supervises(user):
    if not may_supervise(user):
        raise PermissionDenied("This is for admins and mentors")
