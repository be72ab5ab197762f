from contextlib import suppress

from realtime.codes import NOT_ALLOWED, NOT_FOUND
from realtime.consumer import HEARTBEAT, RealtimeConsumer
from realtime.database import in_database
from realtime.frames import FrameError, Refused, UserInfo
from realtime.history import History
from realtime.publish import apublish
from rooms import presence
from rooms.frames import (
    ChatMessage,
    Entered,
    Presence,
    SendChatMessage,
    SendSignal,
    SendTyping,
    Signal,
    Stored,
    Typing,
)
from rooms.models import Message, Room


class RoomConsumer(RealtimeConsumer):
    """Chat, presence, typing and WebRTC signalling in `/ws/rooms/<room_id>/`."""

    sends = (Entered, ChatMessage, Typing, Signal, Presence)
    resumes_by = "message_id"
    room: Room

    async def opened(self):
        room_id = self.scope["url_route"]["kwargs"]["room_id"]
        self.room = await self.enter_room(slug=room_id)
        self.group = f"room.{self.room.pk}"
        await self.join(self.group, History(self.room.messages.select_related("author"), to_frame))
        first = await presence.enter(self.group, self.socket_id, self.user_info)
        await self.greet(
            Entered(
                room_id=room_id,
                user=self.user_info,
                present=await presence.present(self.group),
                heartbeat=HEARTBEAT,
            )
        )
        if first:
            await presence.announce(self.group, self.user_info, "join")

    async def closed(self, code):
        if hasattr(self, "room") and await presence.leave(self.group, self.socket_id, self.user_info):
            await presence.announce(self.group, self.user_info, "leave")

    async def chat_message(self, frame: SendChatMessage) -> Stored:
        message = await self.save(frame.message, frame.idempotency_key)
        await apublish(self.group, to_frame(message), key=message.pk, after=message.after)
        return {"message_id": message.pk}

    async def typing(self, frame: SendTyping):
        typing = Typing(active=frame.active, user=self.user_info)
        await apublish(self.group, typing, exclude=self.user.pk, droppable=True)

    async def webrtc_signal(self, frame: SendSignal):
        with suppress(ConnectionError):  # nobody can tell right now who is here
            if frame.to is not None and not await presence.is_present(self.group, frame.to):
                raise FrameError("not_found", f"User {frame.to} is not in this room")
        await apublish(
            self.group, Signal(sender=self.user.pk, signal=frame.signal), to=frame.to, exclude=self.user.pk
        )

    async def room_changed(self, event):
        try:
            await self.enter_room(pk=self.room.pk)
        except Refused as refusal:
            await self.close(refusal.code, refusal.reason)

    @in_database
    def enter_room(self, **which) -> Room:
        room = Room.objects.for_user(self.user).filter(**which).first()
        if room is None:
            raise Refused(NOT_FOUND, "There is no such room")
        if not room.admits_user:
            raise Refused(NOT_ALLOWED, "You are not a member of this room")
        return room

    @in_database
    def save(self, body: str, idempotency_key: str | None) -> Message:
        try:
            return self.room.post(self.user, body, idempotency_key)
        except Room.DoesNotExist:
            raise FrameError("not_found", "This room does not exist any more") from None


def to_frame(message: Message) -> ChatMessage:
    return ChatMessage(
        message=message.body,
        message_id=message.pk,
        sender=UserInfo(message.author_id, message.author.get_username()),
        sent_at=message.sent_at,
    )
