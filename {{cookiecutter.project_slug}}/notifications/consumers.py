from django.db.models import Count, Max, Q
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
        unread, newest = await self.count()
        await self.greet(
            NotificationsConnected(user=self.user_info, unread=unread, newest=newest, heartbeat=HEARTBEAT)
        )

    async def mark_read(self, frame: MarkRead):
        if await self.set_read(frame.notification_id):
            await apublish(group_of(self.user.pk), NoticeRead(notification_id=frame.notification_id))

    @in_database
    def count(self) -> tuple[int, int]:
        """Return how many are unread, and the newest id."""
        own = Notification.objects.filter(user=self.user.pk)
        found = own.aggregate(unread=Count("pk", filter=Q(read_at=None)), newest=Max("pk"))
        return found["unread"], found["newest"] or 0

    @in_database
    def set_read(self, notification_id: int) -> bool:
        """Return whether it was unread."""
        own = Notification.objects.filter(pk=notification_id, user=self.user.pk)
        if own.filter(read_at=None).update(read_at=timezone.now()):
            return True
        if not own.exists():
            raise FrameError("not_found", f"You have no notification {notification_id}")
        return False
