"""What pages that are made elsewhere have to know of this site."""

from django.conf import settings

from config import collect
from config.context import shared


def describe(user) -> dict:
    known = {"id": user.pk, "username": user.get_username(), "is_staff": user.is_staff}
    return {
        **shared(),
        "name": settings.PROJECT_NAME,
        "user": known if user.is_authenticated else None,
        "endpoints": links("endpoints", user) if settings.DEBUG or user.is_staff else [],
    }


def links(kind, user):
    found = collect.links(kind, user)
    return [{"url": url, "label": label, "description": description} for url, label, description in found]
