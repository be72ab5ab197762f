"""How people and programs prove who they are."""

__all__: list[str] = []  # these are parts of settings

APPS: list[str] = []
#% if cookiecutter.rest_api == "drf"
API = ["rest_framework.authentication.SessionAuthentication"]
#% endif
SOCKETS = {
    # What a client may prove with who it is; the first that it offers counts.
    "AUTHENTICATION": (
        "realtime.auth_ticket.TicketAuthenticator",
        "realtime.auth_session.SessionAuthenticator",
    ),
    "TICKET_VIEW": "realtime.views.ticket",
}
