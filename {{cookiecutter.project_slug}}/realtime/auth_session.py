"""Django's session cookie as proof."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from realtime.credentials import Credentials, session_ends

SessionStore = import_module(settings.SESSION_ENGINE).SessionStore


def read_session(session_key: str | None) -> Credentials | None:
    """The user of a session and when the session ends; None if nobody is logged in."""
    if not session_key:
        return None
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated:
        return None
    return Credentials(user, session_ends(request.session))
