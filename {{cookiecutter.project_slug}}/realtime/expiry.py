"""The end of a login: a socket lasts as long as the proof that it was opened with, or a newer one."""

import asyncio
import time

from realtime.codes import NOT_AUTHENTICATED
from realtime.connection import Connection
from realtime.credentials import Credentials
from realtime.frames import AuthRefresh, FrameError, TokenExpiring
from realtime.limits import address_of
from realtime.revocation import login_of

EXPIRY_NOTICE = 30  # seconds before a token ends at which the client hears of it


class Expiry(Connection):
    """Whose a socket is, and until when."""

    owner: int | str  # who is held to the limits
    _credentials: Credentials
    _timer: asyncio.TimerHandle | None = None

    def _authenticate(self, credentials: Credentials) -> None:
        """From here on the socket is that of these credentials."""
        self._credentials = credentials
        self.user, self.login = credentials.user, login_of(credentials.user)
        self.owner = address_of(self.scope) if self.user.is_anonymous else self.user.pk

    def _watch_expiry(self) -> None:
        """Close the socket when its credentials end; a client that can renew them is told before."""
        self._unwatch_expiry()
        expires = self._credentials.expires
        if expires is not None and self.is_open:
            left = max(0, expires - time.time())
            notice = min(left, EXPIRY_NOTICE) if self._credentials.renew else 0
            self._timer = asyncio.get_running_loop().call_later(left - notice, self._expiring, notice)

    def _unwatch_expiry(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def refresh(self, frame: AuthRefresh) -> None:
        """Go on with the token of a newer login of the same user."""
        renew = self._credentials.renew
        if renew is None:
            raise FrameError("not_allowed", "This login takes no token; log in and connect anew")
        credentials = await renew(frame.token)
        if credentials is None or credentials.user.pk != self.user.pk:
            raise FrameError("not_allowed", "The token is not valid, or not this user's")
        self._authenticate(credentials)
        self._watch_expiry()

    def _expiring(self, notice: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(notice, self._expired)
        if notice:
            self.spawn(self.send_frame(TokenExpiring(seconds=round(notice))))

    def _expired(self) -> None:
        self.spawn(self.close(NOT_AUTHENTICATED, "Your login has expired"))
