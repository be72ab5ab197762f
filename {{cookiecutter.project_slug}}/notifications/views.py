from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from config.texts import to_text
from notifications.notify import notify_user

LATEST = 50  # notifications that the page begins with


@login_required
def index(request):
    latest = request.user.notifications.order_by("-pk")[:LATEST]
    shown = [(notification, to_text(notification.data)) for notification in latest]
    return render(request, "notifications/index.html", {"notifications": shown})


@login_required
@require_POST
def test(request):
    """Send yourself a notification, to watch it arrive."""
    message = request.POST.get("message") or "It works: this came over the WebSocket."
    notify_user(request.user.pk, "test", {"message": message[:200]})
    return redirect("notifications:index")
