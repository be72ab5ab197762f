from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from config.texts import to_text
from notifications.models import latest_of
from notifications.notify import send_test


@login_required
def index(request):
    shown = [(notification, to_text(notification.data)) for notification in latest_of(request.user)]
    return render(request, "notifications/index.html", {"notifications": shown})


@login_required
@require_POST
def test(request):
    """Send yourself a notification, to watch it arrive."""
    send_test(request.user.pk, request.POST.get("message", ""))
    return redirect("notifications:index")
