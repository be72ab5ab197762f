"""What pages that are made elsewhere have to know of this site."""

from django.conf import settings

from config import collect
from config.context import SESSION


def describe(user) -> dict:
    known = {"id": user.pk, "username": user.get_username(), "is_staff": user.is_staff}
    return {
        "name": settings.PROJECT_NAME,
        "description": settings.DESCRIPTION,
        "debug": settings.DEBUG,
        "sign_up": settings.SIGN_UP,
        "ws_auth": "cookie" if SESSION in settings.REALTIME["AUTHENTICATION"] else "ticket",
        "ws_share": settings.REALTIME["SHARE"],
        "user": known if user.is_authenticated else None,
        "endpoints": links("endpoints", user) if settings.DEBUG or user.is_staff else [],
    }


def links(kind, user):
    found = collect.links(kind, user)
    return [{"url": url, "label": label, "description": description} for url, label, description in found]
