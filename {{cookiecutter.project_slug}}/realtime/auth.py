"""Who opens a socket."""

import asyncio
from urllib.parse import parse_qs

from django.conf import settings
from django.contrib.auth import get_user_model
#% if cookiecutter.auth != "jwt"
from django.http import parse_cookie
#% endif
#%%
#% if cookiecutter.auth != "session"
from realtime.auth_jwt import bearer_token, read_token
#% endif
#% if cookiecutter.auth != "jwt"
from realtime.auth_session import read_session
#% endif
from realtime.credentials import Credentials
from realtime.database import in_database
from realtime.tickets import redeem


class WebSocketAuthMiddleware:
    """Puts the `Credentials` of a socket into `scope["credentials"]`, or None when there are no valid ones.

    The consumer closes the latter with 4401. Nothing is wrapped around `send`: that costs a third of the
    throughput.
    """

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        scope["authenticated_at"] = asyncio.get_running_loop().time()  # at the earliest
        scope["credentials"] = await authenticate(scope)
        return await self.application(scope, receive, send)


@in_database
def authenticate(scope) -> Credentials | None:
    """Take the first proof that a client offers; a bad one is not made up for by another."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    if "ticket" in query:
        return read_ticket(query["ticket"][0])
#% if cookiecutter.auth != "session"
    token = bearer_token(scope)
    if token is None and settings.REALTIME["TOKEN_IN_QUERY"] and "token" in query:
        token = query["token"][0]
    if token is not None:
        return read_token(token)
#% endif
#% if cookiecutter.auth != "jwt"
    if scope["has_origin"]:  # else this is no browser page of ours, and its cookies prove nothing
        cookies = parse_cookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
        return read_session(cookies.get(settings.SESSION_COOKIE_NAME))
#% endif
    return None


def read_ticket(ticket: str) -> Credentials | None:
    user_id, expires = redeem(ticket) or (None, None)
    user = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    return Credentials(user, expires) if user else None
