import msgspec

from config.json_views import json_view, read
from notifications.notify import notify_user, to_frame

LATEST = 50  # notifications that a page begins with


class Message(msgspec.Struct):
    message: str = ""


@json_view("GET")
def index(request):
    """The newest notifications, as they come through the socket."""
    return list(map(to_frame, request.user.notifications.order_by("-pk")[:LATEST]))


@json_view("POST")
def test(request):
    """Send yourself a notification, to watch it arrive."""
    message = read(request, Message).message or "It works: this came over the WebSocket."
    notify_user(request.user.pk, "test", {"message": message[:200]})
