from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.mentors import check_supervises
from dashboard.notify import send_test


@login_required
def index(request):
    check_supervises(request.user)
    return render(request, "dashboard/index.html")


@login_required
@require_POST
def test(request):
    """Send an event, to watch it arrive."""
    check_supervises(request.user)
    send_test(request.user, request.POST.get("message", ""))
    return redirect("dashboard:index")
