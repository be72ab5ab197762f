from django.utils import timezone

from notifications.frames import MarkRead, Notice, NoticeRead, NotificationsConnected
from notifications.models import Notification
from notifications.notify import group_of, to_frame
from realtime.consumer import HEARTBEAT, RealtimeConsumer
from realtime.database import in_database
from realtime.frames import FrameError
from realtime.history import History
from realtime.publish import apublish


class NotificationConsumer(RealtimeConsumer):
    """A user's own notifications in `/ws/notifications/`. Without `?since=` the unread ones come first."""

    sends = (NotificationsConnected, Notice, NoticeRead)
    resumes_by = "notification_id"

    async def opened(self):
        own = Notification.objects.filter(user=self.user)
        await self.join(group_of(self.user.pk), History(own, to_frame, unseen=own.filter(read_at=None)))
        await self.greet(
            NotificationsConnected(user=self.user_info, unread=await self.count_unread(), heartbeat=HEARTBEAT)
        )

    async def mark_read(self, frame: MarkRead):
        if not await self.set_read(frame.notification_id):
            raise FrameError("not_found", f"You have no notification {frame.notification_id}")
        await apublish(group_of(self.user.pk), NoticeRead(notification_id=frame.notification_id))

    @in_database
    def count_unread(self) -> int:
        return Notification.objects.filter(user=self.user.pk, read_at=None).count()

    @in_database
    def set_read(self, notification_id: int) -> bool:
        own = Notification.objects.filter(pk=notification_id, user=self.user.pk)
        return bool(own.filter(read_at=None).update(read_at=timezone.now()) or own.exists())
