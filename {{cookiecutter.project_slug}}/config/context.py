"""What every page shows: the project's name, its navigation and how its sockets authenticate."""

from django.conf import settings
#% if cookiecutter.__consumers
from django.urls import reverse
#% endif
#%%
# (address, label, description) of what this project answers beside its pages.
ENDPOINTS = [
#% if cookiecutter.rest_api == "drf"
    ("/api/docs/", "REST API", "OpenAPI documentation, to try out in the browser"),
#% endif
    ("/api/asyncapi.json", "WebSocket frames", "every frame type of every consumer, as AsyncAPI"),
    ("/api/health/", "Health", "database, cache and channel layer, for load balancers and monitors"),
    ("/admin/", "Admin", "users and everything they leave behind"),
]


def site(request):
    """Return the variables of templates/base.html and templates/home.html."""
    return {
        "project_name": settings.PROJECT_NAME,
        "debug": settings.DEBUG,
#% if cookiecutter.auth == "jwt"
        "ws_auth": "ticket",
#% else
        "ws_auth": "cookie",
#% endif
#% if cookiecutter.__consumers
        "nav": [
#% if "rooms" in cookiecutter.__consumers
            (reverse("rooms:index"), "Rooms", "Chat, see who is here and who is typing."),
#% endif
#% if "notifications" in cookiecutter.__consumers
            (reverse("notifications:index"), "Notifications", "Personal news that arrives as it happens."),
#% endif
        ],
#% else
        "nav": [],
#% endif
        "endpoints": ENDPOINTS,
    }
