import msgspec

from config.json_views import json_view, read
from notifications.models import latest_of
from notifications.notify import send_test, to_frame


class Message(msgspec.Struct):
    message: str = ""


@json_view("GET")
def index(request):
    """The newest notifications, as they come through the socket."""
    return list(map(to_frame, latest_of(request.user)))


@json_view("POST")
def test(request):
    """Send yourself a notification, to watch it arrive."""
    send_test(request.user.pk, read(request, Message).message)
