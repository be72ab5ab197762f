"""Who opens a socket."""

import asyncio
import logging
from urllib.parse import parse_qs

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseError
#% if cookiecutter.auth != "jwt"
from django.http import parse_cookie
#% endif
#%%
#% if cookiecutter.auth != "session"
from realtime.auth_jwt import bearer_token, read_token
#% endif
from realtime.auth_session import read_session
from realtime.codes import TRY_AGAIN_LATER
from realtime.credentials import Credentials
from realtime.database import in_database
from realtime.frames import Refused
from realtime.hub import get_hub
from realtime.tickets import redeem

logger = logging.getLogger("realtime")

TIME_LIMIT = 10  # seconds for the channel layer, the database and the cache to answer


class WebSocketAuthMiddleware:
    """Puts the `Credentials` of a socket into `scope["credentials"]`, or None when there are no valid ones.

    The consumer closes the latter with 4401. When nobody can tell whose they are, since the database is away
    for instance, a `Refused` stands there, with which the consumer closes. `scope["user"]` is for plain
    Channels consumers. Nothing is wrapped around `send`: that costs a third of the throughput.
    """

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        scope["authenticated_at"] = asyncio.get_running_loop().time()  # at the earliest
        scope["credentials"] = await identify(scope)
        scope["user"] = getattr(scope["credentials"], "user", None) or AnonymousUser()
        return await self.application(scope, receive, send)


async def identify(scope) -> Credentials | Refused | None:
    """Authenticate; what goes wrong is said after accept, since a browser learns nothing of it before."""
    try:
        async with asyncio.timeout(TIME_LIMIT):
            await get_hub().start()  # first, so that it hears of each kick after the proof is read
            return await authenticate(scope)
    except (OSError, DatabaseError) as error:  # something is away, or slow
        logger.warning("could not authenticate a socket: %r", error)
    except Exception:
        logger.exception("could not authenticate a socket")
    return Refused(TRY_AGAIN_LATER, "Something is wrong on the server; try again later")


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
    """Read the proof that the ticket stands for, which may hold no longer."""
    proof = redeem(ticket)
#% if cookiecutter.auth != "session"
    if "token" in proof:
        return read_token(proof["token"])
#% endif
    return read_session(proof.get("session"))
