from contextlib import suppress

from realtime.consumer import HEARTBEAT
from realtime.database import in_database
from realtime.frames import FrameError, UserInfo
from realtime.history import History
from realtime.publish import apublish
from rooms import presence
from rooms.audience import CALL
from rooms.call import Call
from rooms.frames import (
    ChatMessage,
    Presence,
    RoomConnected,
    SendChatMessage,
    SendSignal,
    SendTyping,
    Signal,
    Stored,
    Typing,
)
from rooms.models import Message, Room


class RoomConsumer(Call):
    """Chat, presence, typing, a call and its WebRTC signalling in `/ws/rooms/<room_id>/`."""

    sends = (RoomConnected, ChatMessage, Typing, Signal, Presence, *Call.sends)
    resumes_by = "message_id"

    async def opened(self):
        room_id = self.scope["url_route"]["kwargs"]["room_id"]
        self.room = await self.enter_room(slug=room_id)
        self.watch_end()
        if self.room.must_wait:
            await self.wait_at_door()
            await self.look_again()
            await self.greet(self.greeting(present=[], call=[]))
            return
        await self.join(self.group, History(self.room.messages.select_related("author"), to_frame))
        await self.look_again()
        first = await presence.enter(self.group, self.socket_id, self.user_info)
        present, call = [await presence.present(group) for group in (self.group, self.group + CALL)]
        await self.greet(self.greeting(present, call))
        if first:
            await presence.announce(self.group, self.user_info, "join")
        if self.is_host:
            await self.answer_door()

    async def closed(self, code):
        if not hasattr(self, "room"):
            return
        if self.waits:
            await self.leave_door()
            return
        await self.leave_call()
        if await presence.leave(self.group, self.socket_id, self.user_info):
            await presence.announce(self.group, self.user_info, "leave")

    async def chat_message(self, frame: SendChatMessage) -> Stored:
        self.check_inside()
        message = await self.save(frame.message, frame.idempotency_key)
        await apublish(self.group, to_frame(message), key=message.pk, after=message.after)
        return Stored(message.pk)

    async def typing(self, frame: SendTyping):
        self.check_inside()
        typing = Typing(active=frame.active, user=self.user_info)
        await apublish(self.group, typing, exclude=self.user.pk, droppable=True)

    async def webrtc_signal(self, frame: SendSignal):
        self.check_inside()
        with suppress(ConnectionError):  # nobody can tell right now who is here
            if frame.to is not None and not await presence.is_present(self.group, frame.to):
                raise FrameError("not_found", f"User {frame.to} is not in this room")
        await apublish(
            self.group, Signal(sender=self.user.pk, signal=frame.signal), to=frame.to, exclude=self.user.pk
        )

    def greeting(self, present: list[UserInfo], call: list[UserInfo]) -> RoomConnected:
        return RoomConnected(
            room_id=self.room.slug,
            user=self.user_info,
            present=present,
            call=call,
            host=self.is_host,
            waiting=self.waits,
            heartbeat=HEARTBEAT,
        )

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
