"""What every page shows: the project's name, its navigation, and how people and their sockets come in."""

from django.conf import settings

from config import collect

SESSION = "realtime.auth_session.SessionAuthenticator"


def site(request):
    """Return the variables of templates/base.html and templates/home.html."""
    return {
        "project_name": settings.PROJECT_NAME,
        "description": settings.DESCRIPTION,
        "debug": settings.DEBUG,
        "sign_up": settings.SIGN_UP,
        "ws_auth": "cookie" if SESSION in settings.REALTIME["AUTHENTICATION"] else "ticket",
        "nav": collect.links("nav"),
        "endpoints": collect.links("endpoints"),
    }
