import logging

from django.conf import settings
from django.http import JsonResponse
#% if cookiecutter.auth == "session"
from django.views.decorators.http import require_POST
#% else
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.serializers import CharField, Serializer
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication
#% endif
#%%
from realtime.asyncapi import document
from realtime.tickets import issue

logger = logging.getLogger("realtime")

NO_TICKET = {"detail": "Tickets cannot be stored at the moment; try again later."}


#% if cookiecutter.auth == "session"
@require_POST
def ticket(request):
    """A ticket that opens one socket as the user who is logged in."""
    if not request.user.is_authenticated:
        return JsonResponse({"detail": "Log in first."}, status=401)
    try:
        return JsonResponse({"ticket": issue(session=request.session.session_key)})
    except ConnectionError as error:
        logger.warning("no ticket: %s", error)
        return JsonResponse(NO_TICKET, status=503)
#% else
class TicketSerializer(Serializer):
    ticket = CharField(read_only=True)


class TicketView(APIView):
    """A ticket that opens one socket as the user of a token, or of the session in which a page was served."""

    serializer_class = TicketSerializer
    authentication_classes = (JWTAuthentication, SessionAuthentication)
    permission_classes = (IsAuthenticated,)

    def post(self, request):
        token = request.auth
        proof = {"token": token.token.decode()} if token else {"session": request.session.session_key}
        try:
            return Response({"ticket": issue(**proof)})
        except ConnectionError as error:
            logger.warning("no ticket: %s", error)
            return Response(NO_TICKET, status=503)
#% endif
#%%

async def asyncapi(request):
    """The frames of all consumers, as an AsyncAPI document."""
    scheme = "wss" if request.is_secure() else "ws"
    return JsonResponse(document(settings.PROJECT_NAME, request.get_host(), scheme))
