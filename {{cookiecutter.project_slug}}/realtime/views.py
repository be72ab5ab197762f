import logging
from functools import partial

from django.conf import settings
from django.contrib.auth.decorators import user_passes_test
from django.core.exceptions import PermissionDenied
from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from realtime.asyncapi import document
from realtime.asyncapi_page import Page
from realtime.auth_session import SessionAuthenticator
from realtime.auth_ticket import issue

logger = logging.getLogger("realtime")


@require_POST
def ticket(request):
    """A ticket that opens one socket as the user who is logged in."""
    if not request.user.is_authenticated:
        return JsonResponse({"detail": "Log in first."}, status=401)
    answer, status = ticket_for(SessionAuthenticator, request.session.session_key)
    return JsonResponse(answer, status=status)


def ticket_for(kind, proof):
    """Return what a view answers, and with which status: a ticket for a proof, or that there is none now."""
    try:
        return {"ticket": issue(kind, proof)}, 200
    except ConnectionError as error:
        logger.warning("no ticket: %s", error)
        return {"detail": "Tickets cannot be stored at the moment; try again later."}, 503


def may_see_api(user, log_in):
    """Say whether a user may see how the API works: staff may, and everybody while DEBUG is on."""
    if settings.DEBUG or user.is_staff:
        return True
    if log_in and user.is_anonymous:
        return False  # and so gets the login page
    raise PermissionDenied


page_for_staff = user_passes_test(partial(may_see_api, log_in=True))
data_for_staff = user_passes_test(partial(may_see_api, log_in=False))


@data_for_staff
async def asyncapi(request):
    """The frames of all consumers, as an AsyncAPI document."""
    return JsonResponse(describe(request))


@page_for_staff
def asyncapi_page(request):
    """The same for people, who can try it."""
    return render(request, "realtime/asyncapi.html", {"page": Page(describe(request))})


def describe(request):
    """Return the document for the host that was asked."""
    described = document(settings.PROJECT_NAME)
    server = {  # not in what is kept: a client may vary it
        "host": request.get_host(),
        "protocol": "wss" if request.is_secure() else "ws",
        "security": [
            {"$ref": f"#/components/securitySchemes/{name}"}
            for name in described["components"]["securitySchemes"]
        ],
    }
    return described | {"servers": {"this": server}}
