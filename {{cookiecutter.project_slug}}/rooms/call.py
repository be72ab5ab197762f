"""The call in a room: who is in it. What they send each other goes by `webrtc_signal`, past the server."""

from typing import ClassVar

from realtime.frames import Frame, FrameError
from realtime.publish import send_event
from rooms import presence
from rooms.admission import Door
from rooms.audience import CALL, Full
from rooms.frames import CallEnded, CallMoved, CallPresence, EndCall, JoinCall, Joined, LeaveCall
from rooms.ice import ice_servers

MAX_IN_CALL = 6  # each sends to each of the others


class Call(Door):
    """A user is in the call with one socket, in a session that the client has named."""

    sends: ClassVar[tuple[type[Frame], ...]] = (CallPresence, CallMoved, CallEnded, *Door.sends)
    session: str | None = None  # the newest one
    in_call = False
    _moved_here = False

    async def call_join(self, frame: JoinCall) -> Joined:
        self.check_inside()
        try:
            first = await presence.enter(self.group + CALL, self.socket_id, self.user_info, MAX_IN_CALL)
            others = [user for user in await presence.present(self.group + CALL) if user.id != self.user.pk]
        except Full:
            raise FrameError("call_full", f"There are {MAX_IN_CALL} people in this call already") from None
        except ConnectionError:
            await self.leave_call()  # it may have got through
            raise FrameError("away", "The call cannot be joined right now; try again later") from None
        first = first and not self.in_call
        self.in_call, self.session, self._moved_here = True, frame.session, False
        send_event(self.group, {"type": "call.moved", "session": frame.session}, to=self.user.pk)
        if first:
            await presence.announce(self.group + CALL, self.user_info, "join")
        return Joined(others, ice_servers(self.user.pk))

    async def call_leave(self, frame: LeaveCall) -> None:
        self.check_inside()
        await self.leave_call()

    async def call_end(self, frame: EndCall) -> None:
        await self.check_host()
        send_event(self.group, {"type": "call.ended"})

    async def call_moved(self, event):
        """The user has joined; all sockets hear of it in one order, and a later one takes the call."""
        if event["session"] == self.session:
            self._moved_here = True
        elif self.in_call and self._moved_here:
            await self.leave_call()
            await self.send_frame(CallMoved(session=event["session"]))

    async def call_ended(self, event):
        await self.leave_call()
        await self.send_frame(CallEnded())

    async def leave_call(self) -> None:
        self.in_call = False
        if await presence.leave(self.group + CALL, self.socket_id, self.user_info):
            await presence.announce(self.group + CALL, self.user_info, "leave")
