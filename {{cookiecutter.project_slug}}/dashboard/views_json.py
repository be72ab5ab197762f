import msgspec

from accounts.mentors import check_supervises
from config.json_views import json_view, read
from dashboard.notify import send_test


class Message(msgspec.Struct):
    message: str = ""


@json_view("POST")
def test(request):
    """Send an event, to watch it arrive; what is shown comes through the socket alone."""
    check_supervises(request.user)
    send_test(request.user, read(request, Message).message)
