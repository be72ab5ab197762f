"""What every page shows: the project's name, its navigation, and how people and their sockets come in."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.functional import SimpleLazyObject

from config import collect

SESSION = "realtime.auth_session.SessionAuthenticator"


def shared() -> dict:
    """Return what holds for every page, whoever makes it and looks at it."""
    return {
        "description": settings.DESCRIPTION,
        "debug": settings.DEBUG,
        "sign_up": settings.SIGN_UP,
        "ws_auth": "cookie" if SESSION in settings.REALTIME["AUTHENTICATION"] else "ticket",
        "ws_share": settings.REALTIME["SHARE"],
    }


def site(request):
    """Return the variables of templates/, for all pages that Django makes."""
    user = getattr(request, "user", AnonymousUser())  # of a request that was refused early there is none
    return {
        **shared(),
        "project_name": settings.PROJECT_NAME,
        "nav": SimpleLazyObject(lambda: collect.links("nav", user)),
        "endpoints": SimpleLazyObject(lambda: collect.links("endpoints", user)),
    }
