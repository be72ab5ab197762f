import logging

from django.conf import settings
from django.http import JsonResponse
from django.views.decorators.http import require_POST

from realtime.asyncapi import document
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


async def asyncapi(request):
    """The frames of all consumers, as an AsyncAPI document."""
    scheme = "wss" if request.is_secure() else "ws"
    server = {"host": request.get_host(), "protocol": scheme}  # not in what is kept: a client may vary it
    return JsonResponse(document(settings.PROJECT_NAME) | {"servers": {"this": server}})
