import asyncio
import logging
from collections.abc import Awaitable

from monitoring.channels import overview
from monitoring.frames import Ended, EndSocket, EndUser, Look, Overview
from realtime.codes import NOT_ALLOWED
from realtime.consumer import RealtimeConsumer
from realtime.database import in_database
from realtime.frames import FrameError, Refused
from realtime.processes import SocketInfo

logger = logging.getLogger("monitoring")

PAUSE_SECONDS = 0.5  # between two questions, however often a client asks


class ChannelsConsumer(RealtimeConsumer):
    """The processes of the site and their sockets, for the staff: what `/admin/channels/` shows."""

    _free_at = 0.0  # by the loop's clock

    async def opened(self):
        if not self.user.is_staff:
            raise Refused(NOT_ALLOWED, "This is for the staff")

    async def look(self, frame: Look) -> Overview:
        clock = self.hub.loop.time
        await asyncio.sleep(self._free_at - clock())
        self._free_at = clock() + PAUSE_SECONDS
        found = await answers(self.hub.processes.look(frame.search, frame.sort, frame.descending))
        return overview(self.hub.processes.known, found, frame.sort, frame.descending)

    async def end_socket(self, frame: EndSocket) -> Ended:
        await self.check_permission()
        found = await answers(self.hub.processes.end_socket(frame.process, frame.socket))
        return Ended(self.log(found), silent=0)

    async def end_user(self, frame: EndUser) -> Ended:
        await self.check_permission()
        found = await answers(self.hub.processes.end_user(frame.user))
        silent = self.hub.processes.known.keys() - found.keys()
        return Ended(self.log(found), len(silent))

    async def check_permission(self) -> None:
        """All of the staff may look; to disconnect takes what it takes to deactivate an account."""
        if not await in_database(self.user.has_perm)("accounts.change_user"):
            raise FrameError("not_allowed", "It takes the permission to change users")

    def log(self, found: dict[str, dict]) -> int:
        """Log who disconnected whom; return how many sockets that were."""
        ended: list[SocketInfo] = [socket for answer in found.values() for socket in answer["ended"]]
        for socket in ended:
            logger.info(
                "%r disconnected %r (user %s, %s) from %r",
                self.user.get_username(),
                socket["user"],
                socket["user_id"],
                socket["address"],
                socket["path"],
            )
        return len(ended)


async def answers(question: Awaitable[dict[str, dict]]) -> dict[str, dict]:
    try:
        return await question
    except ConnectionError as error:
        raise FrameError("away", str(error)) from None
