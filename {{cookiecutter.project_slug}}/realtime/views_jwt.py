"""Tickets for those who have a token, as a view of the REST API, in whose documentation it stands."""

from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.serializers import CharField, Serializer
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication

from realtime.auth_jwt import TokenAuthenticator
from realtime.auth_session import SessionAuthenticator
from realtime.views import ticket_for


class TicketSerializer(Serializer):
    ticket = CharField(read_only=True)


class TicketView(APIView):
    """A ticket that opens one socket as the user of a token, or of the session in which a page was served."""

    serializer_class = TicketSerializer
    authentication_classes = (JWTAuthentication, SessionAuthentication)
    permission_classes = (IsAuthenticated,)

    def post(self, request):
        proof = (SessionAuthenticator, request.session.session_key)
        if token := request.auth:
            proof = (TokenAuthenticator, token.token.decode())
        return Response(*ticket_for(*proof))


ticket = TicketView.as_view()
