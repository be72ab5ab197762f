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
from realtime.credentials import session_ends
from realtime.tickets import issue


#% if cookiecutter.auth == "session"
@require_POST
def ticket(request):
    """A ticket that opens one socket as the user who is logged in."""
    if not request.user.is_authenticated:
        return JsonResponse({"detail": "Log in first."}, status=401)
    return JsonResponse({"ticket": issue(request.user.pk, session_ends(request.session))})
#% else
class TicketSerializer(Serializer):
    ticket = CharField(read_only=True)


class TicketView(APIView):
    """A ticket that opens one socket as the user of a token, or of the session in which a page was served."""

    serializer_class = TicketSerializer
    authentication_classes = (JWTAuthentication, SessionAuthentication)
    permission_classes = (IsAuthenticated,)

    def post(self, request):
        expires = request.auth["exp"] if request.auth else session_ends(request.session)
        return Response({"ticket": issue(request.user.pk, expires)})
#% endif
#%%

async def asyncapi(request):
    """The frames of all consumers, as an AsyncAPI document."""
    scheme = "wss" if request.is_secure() else "ws"
    return JsonResponse(document(settings.PROJECT_NAME, request.get_host(), scheme))
