"""The door of a room: who may come in, who has to wait for the host, and when the room closes."""

import asyncio
from contextlib import suppress
from typing import ClassVar

from django.utils import timezone

from realtime.codes import NOT_ALLOWED, NOT_FOUND, SERVICE_RESTART
from realtime.consumer import RealtimeConsumer
from realtime.database import in_database
from realtime.frames import Frame, FrameError, Refused
from realtime.publish import send_event
from rooms import presence
from rooms.audience import HOST, WAITING
from rooms.frames import Admit, Admitted, Refuse, Waiting
from rooms.models import Room

LOOK_SECONDS = 60  # between two looks at the clock, which may have been set
RETRY_SECONDS = 5  # after an end at which the room could not be read
SHOWN = 100  # of those who wait, to the host


class Door(RealtimeConsumer):
    """Lets users into a room as it stands in the database, and asks again whenever that changes."""

    sends: ClassVar[tuple[type[Frame], ...]] = (Waiting, Admitted)
    room: Room
    waits = False  # until the host admits the user
    _ending: asyncio.Task | None = None

    @property
    def group(self) -> str:
        return self.room.group

    @property
    def is_host(self) -> bool:
        return self.room.host_id == self.user.pk

    async def admit(self, frame: Admit) -> None:
        await self.check_host()
        await self.check_waits(frame.user_id)
        await self.store_admission(frame.user_id)

    async def refuse(self, frame: Refuse) -> None:
        await self.check_host()
        await self.check_waits(frame.user_id)
        send_event(self.group + WAITING, {"type": "room.refused"}, to=frame.user_id)

    async def room_refused(self, event):
        if self.waits:
            await self.send_away(NOT_ALLOWED, "The host does not let you in")

    async def waiting_changed(self, event):
        with suppress(ConnectionError):  # when the channel layer is back, everybody comes back
            users = await presence.present(self.group + WAITING)
            await self.send_frame(Waiting(users=users[:SHOWN]))

    async def room_changed(self, event):
        was_host = self.is_host
        try:
            self.room = await self.enter_room(pk=self.room.pk)
        except Refused as refusal:
            await self.send_away(refusal.code, refusal.reason)
            return
        if self.waits and not self.room.must_wait:
            await self.send_frame(Admitted())
        if (self.waits, was_host) == (self.room.must_wait, self.is_host):
            self.watch_end()
        else:
            await self.reconnect(after=0)
            await self.closed(SERVICE_RESTART)

    async def look_again(self) -> None:
        """See to what changed before the socket was in its group, of which it was not told."""
        self.room = await self.enter_room(pk=self.room.pk)
        if self.room.must_wait != self.waits:
            raise Refused(SERVICE_RESTART, "Come back in a moment")

    async def send_away(self, code: int, reason: str) -> None:
        """Close the socket; the others need not wait until its client has closed it, too."""
        await self.close(code, reason)
        await self.closed(code)

    def watch_end(self) -> None:
        """Have the socket closed when the room closes."""
        if self._ending is not None:
            self._ending.cancel()
        self._ending = self.spawn(self._close_at_end()) if self.room.ends_at else None

    async def _close_at_end(self) -> None:
        while (ends_at := self.room.ends_at) is not None:
            left = (ends_at - timezone.now()).total_seconds()
            if left > 0:
                await asyncio.sleep(min(left, LOOK_SECONDS))
            else:
                self.take_event("room_changed", {"type": "room.changed"})  # the end may have been put off
                await asyncio.sleep(RETRY_SECONDS)

    def check_inside(self) -> None:
        """Raise `FrameError` for a client that waits, which may not do anything yet."""
        if self.waits:
            raise FrameError("not_allowed", "Wait until the host lets you in")

    async def check_host(self) -> None:
        """Raise `FrameError` unless the user is the host, which may have changed."""
        self.check_inside()
        try:
            room = await self.enter_room(pk=self.room.pk)
        except Refused as refusal:
            raise FrameError("not_allowed", refusal.reason) from None
        if room.host_id != self.user.pk:
            raise FrameError("not_allowed", "Only the host of this room may do that")

    async def check_waits(self, user_id: int) -> None:
        with suppress(ConnectionError):  # nobody can tell right now who waits
            if not await presence.is_present(self.group + WAITING, user_id):
                raise FrameError("not_found", f"User {user_id} does not wait for this room")

    async def wait_at_door(self) -> None:
        self.waits = True
        await self.join(self.group + WAITING)
        if await presence.enter(self.group + WAITING, self.socket_id, self.user_info):
            await presence.announce(self.group + WAITING, self.user_info, "join")

    async def leave_door(self) -> None:
        if await presence.leave(self.group + WAITING, self.socket_id, self.user_info):
            await presence.announce(self.group + WAITING, self.user_info, "leave")

    async def answer_door(self) -> None:
        """Tell the host, from now on, who waits."""
        await self.join(self.group + HOST)
        if self.room.waits:
            await self.waiting_changed(None)

    @in_database
    def enter_room(self, **which) -> Room:
        room = Room.objects.for_user(self.user).filter(**which).first()
        if room is None:
            raise Refused(NOT_FOUND, "There is no such room")
        if not room.admits_user:
            raise Refused(NOT_ALLOWED, "You are not a member of this room")
        if room.closed_because:
            raise Refused(NOT_ALLOWED, room.closed_because)
        return room

    @in_database
    def store_admission(self, user_id: int) -> None:
        if not self.room.admit(user_id):
            raise FrameError("not_found", "This user or this room does not exist any more")
