"""Revocation: sockets end with the right to have them.

Who logs out, or whose account changes, is kicked at once. Since a kick may get lost, and a query changes
users without telling anybody, each process also looks at the users of its sockets now and then.
"""

import asyncio
import logging

from django.conf import settings
from django.contrib.auth import get_user_model

from realtime.codes import NOT_AUTHENTICATED
from realtime.database import in_database
from realtime.sockets import Sockets

logger = logging.getLogger("realtime")

FIELDS = settings.REALTIME["LOGIN_FIELDS"]
REVIEW_SECONDS = 45  # between two looks at the users
KICK_SECONDS = 60  # for which a kick also holds for handshakes that began before it

Login = tuple | None  # the values of the user's `FIELDS`; None: there is no such user


def login_of(user) -> Login:
    """What a user's sockets rest on; those of a guest on nothing."""
    return () if user.is_anonymous else tuple(getattr(user, field) for field in FIELDS)


@in_database
def logins_of(user_ids: list[int]) -> dict[int, Login]:
    """The present logins of users, in one query."""
    rows = get_user_model().objects.filter(pk__in=user_ids).values_list("pk", *FIELDS)
    return dict.fromkeys(user_ids) | {pk: tuple(fields) for pk, *fields in rows}


class Revocation:
    """Ends the sockets of this process whose users may no longer have them."""

    def __init__(self, sockets: Sockets):
        self.sockets = sockets
        self._kicked: dict[int | str, float] = {}  # user ids, and when

    def kick(self, event: dict) -> None:
        """Close the sockets that a user has, also those whose handshake is under way.

        The event may be late, by its `age`; whoever has come in since then has proved anew who they are.
        """
        now = self.sockets.loop.time()
        before = now - event.get("age", 0)
        self._kicked = {user: at for user, at in self._kicked.items() if now - at < KICK_SECONDS}
        self._kicked[event["user"]] = before
        for socket in tuple(self.sockets.of_user.get(event["user"], ())):
            if socket.opened_at <= before:
                self.sockets.spawn(socket.close(event["code"], event["reason"]))

    def was_kicked(self, owner: int | str, since: float) -> bool:
        """Whether a user was kicked after `since` (loop time): a proof read then holds no longer."""
        return self._kicked.get(owner, 0) > since

    async def run(self) -> None:
        while True:
            await asyncio.sleep(REVIEW_SECONDS)
            try:
                logins = await logins_of(list(self.sockets.of_user))
            except Exception as error:  # the database is away, which others say
                logger.warning("could not look whether users may still be here: %r", error)
                continue
            for socket in self.sockets:
                if logins.get(socket.user.pk, socket.login) != socket.login:
                    self.sockets.spawn(socket.close(NOT_AUTHENTICATED, "Log in again"))
