"""Who opens a socket."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseError

from realtime.auth_session import SessionStore
from realtime.codes import NOT_AUTHENTICATED, TRY_AGAIN_LATER
from realtime.credentials import Authenticator, Credentials, authenticator, read_each
from realtime.database import in_database
from realtime.frames import Refused
from realtime.hub import get_hub
from realtime.loader import Loader
from realtime.loops import per_loop

logger = logging.getLogger("realtime")

TIME_LIMIT = 10  # seconds for the channel layer, the database and the cache to answer

AUTHENTICATORS = [authenticator(path) for path in settings.REALTIME["AUTHENTICATION"]]
SUBPROTOCOLS = {each.subprotocol for each in AUTHENTICATORS} - {None}

Found = Credentials | Refused


def reader(each: Authenticator) -> Callable[[str], Awaitable[Credentials | None]]:
    """What reads the proofs of a kind: those of handshakes that arrive together at once, if it can."""
    return Loader(partial(read_each, each)).load if hasattr(each, "read_many") else in_database(each.read)


readers = per_loop(lambda: [(each, reader(each)) for each in AUTHENTICATORS])


class WebSocketAuthMiddleware:
    """Puts the `Credentials` of a socket into `scope["credentials"]`; without any proof those of nobody.

    When a proof is not valid, or nobody can tell whose it is, since the database is away for instance, a
    `Refused` stands there, with which the consumer closes. `scope["subprotocol"]` is the one to accept with,
    if any. Nothing is wrapped around `send`: that costs a third of the throughput.

    Plain Channels consumers find what they look for: `scope["user"]`, an `AnonymousUser` unless the above are
    a user's, and `scope["session"]`, empty unless the proof was a session. Whoever changes that saves it.
    """

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        scope["authenticated_at"] = asyncio.get_running_loop().time()  # at the earliest
        scope["subprotocol"] = next((name for name in scope["subprotocols"] if name in SUBPROTOCOLS), None)
        scope["credentials"] = found = await identify(authenticate, scope)
        scope.update(told(found))
        return await self.application(scope, receive, send)


def told(found: Found) -> dict[str, Any]:
    """What consumers of Channels' own look for in their scope."""
    known = Credentials(AnonymousUser()) if isinstance(found, Refused) else found
    return {"user": known.user, "session": known.session or SessionStore()}


async def identify[Proof](read: Callable[[Proof], Awaitable[Found]], proof: Proof) -> Found:
    """Authenticate; what goes wrong is said after accept, since a browser learns nothing of it before."""
    try:
        async with asyncio.timeout(TIME_LIMIT):
            await get_hub().start()  # first, so that it hears of each kick after the proof is read
            return await read(proof)
    except (OSError, DatabaseError) as error:  # something is away, or slow
        logger.warning("could not authenticate a socket: %r", error)
    except Exception:
        logger.exception("could not authenticate a socket")
    return Refused(TRY_AGAIN_LATER, "Something is wrong on the server; try again later")


async def authenticate(scope) -> Found:
    """Take the first proof that a client offers; a bad one is not made up for by another, nor by none."""
    for each, read in readers():
        proof = each.find(scope)
        if proof is not None:
            return await read(proof) or Refused(NOT_AUTHENTICATED, "Log in again")
    return Credentials(AnonymousUser())
