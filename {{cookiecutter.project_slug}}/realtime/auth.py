"""Who opens a socket."""

import asyncio
import logging

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseError

from realtime.codes import TRY_AGAIN_LATER
from realtime.credentials import Credentials, authenticator
from realtime.database import in_database
from realtime.frames import Refused
from realtime.hub import get_hub

logger = logging.getLogger("realtime")

TIME_LIMIT = 10  # seconds for the channel layer, the database and the cache to answer

AUTHENTICATORS = [authenticator(path) for path in settings.REALTIME["AUTHENTICATION"]]
SUBPROTOCOLS = {each.subprotocol for each in AUTHENTICATORS} - {None}


class WebSocketAuthMiddleware:
    """Puts the `Credentials` of a socket into `scope["credentials"]`, or None when there are no valid ones.

    The consumer closes the latter with 4401. When nobody can tell whose they are, since the database is away
    for instance, a `Refused` stands there, with which the consumer closes. `scope["subprotocol"]` is the one
    to accept with, if any; `scope["user"]` is for plain Channels consumers. Nothing is wrapped around `send`:
    that costs a third of the throughput.
    """

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        scope["authenticated_at"] = asyncio.get_running_loop().time()  # at the earliest
        scope["subprotocol"] = next((name for name in scope["subprotocols"] if name in SUBPROTOCOLS), None)
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
    for each in AUTHENTICATORS:
        proof = each.find(scope)
        if proof is not None:
            return each.read(proof)
    return None
