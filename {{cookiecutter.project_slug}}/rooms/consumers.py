from realtime import presence
from realtime.codes import NOT_ALLOWED, NOT_FOUND
from realtime.consumer import HEARTBEAT, RealtimeConsumer
from realtime.database import in_database
from realtime.frames import FrameError, Presence, Refused, UserInfo
from realtime.publish import apublish
from rooms.frames import (
    ChatMessage,
    Entered,
    SendChatMessage,
    SendSignal,
    SendTyping,
    Signal,
    Typing,
)
from rooms.models import Message, Room

PAGE = 200  # messages fetched at a time for a client that catches up


class RoomConsumer(RealtimeConsumer):
    """Chat, presence, typing and WebRTC signalling in `/ws/rooms/<room_id>/`.

    A client that connects with `?since=<message_id>` is first sent what was said after that message.
    """

    sends = (Entered, ChatMessage, Typing, Signal, Presence)
    room = None

    async def opened(self):
        room_id = self.scope["url_route"]["kwargs"]["room_id"]
        self.room = await self.enter_room(room_id)
        self.group = f"room.{self.room.pk}"
        await self.join(self.group)
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
            await apublish(self.group, Presence(event="join", user=self.user_info), exclude=self.user.pk)
        return await self.catch_up()

    async def closed(self, code):
        if self.room and await presence.leave(self.group, self.socket_id, self.user_info):
            await apublish(self.group, Presence(event="leave", user=self.user_info), exclude=self.user.pk)

    async def chat_message(self, frame: SendChatMessage):
        message = await self.save(frame.message)
        await apublish(self.group, to_frame(message), key=message.pk)
        return {"message_id": message.pk}

    async def typing(self, frame: SendTyping):
        await apublish(self.group, Typing(active=frame.active, user=self.user_info), exclude=self.user.pk)

    async def webrtc_signal(self, frame: SendSignal):
        if frame.to is not None and all(user.id != frame.to for user in await presence.present(self.group)):
            raise FrameError("not_found", f"User {frame.to} is not in this room")
        await apublish(
            self.group, Signal(sender=self.user.pk, signal=frame.signal), to=frame.to, exclude=self.user.pk
        )

    async def room_changed(self, event):
        try:
            await self.enter_room(self.room.slug)
        except Refused as refusal:
            await self.close(refusal.code, refusal.reason)

    async def catch_up(self) -> range:
        """Send the messages after `?since=` and return the ids that need not be sent again."""
        since = self.since()
        if since is None:
            return range(0)
        while messages := await self.messages_after(since):
            for message in messages:
                await self.send_frame(to_frame(message))
            since = messages[-1].pk
        return range(since + 1)

    @in_database
    def enter_room(self, room_id: str) -> Room:
        room = Room.objects.for_user(self.user).filter(slug=room_id).first()
        if room is None:
            raise Refused(NOT_FOUND, f"There is no room {room_id}")
        if not room.admits_user:
            raise Refused(NOT_ALLOWED, "You are not a member of this room")
        return room

    @in_database
    def save(self, body: str) -> Message:
        return self.room.post(self.user, body)

    @in_database
    def messages_after(self, message_id: int) -> list[Message]:
        return list(self.room.messages.filter(pk__gt=message_id).select_related("author")[:PAGE])


def to_frame(message: Message) -> ChatMessage:
    return ChatMessage(
        message=message.body,
        message_id=message.pk,
        sender=UserInfo(message.author_id, message.author.get_username()),
        sent_at=message.sent_at,
    )
