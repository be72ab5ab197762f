from accounts.mentors import may_supervise
from dashboard.figures import Figures, latest, watchers
from dashboard.frames import DashboardEvent, DashboardSnapshot, FiguresChanged
from dashboard.models import Event
from dashboard.notify import GROUP, to_frame
from realtime.codes import NOT_ALLOWED
from realtime.consumer import HEARTBEAT, RealtimeConsumer
from realtime.database import in_database
from realtime.frames import Connected, Refused
from realtime.history import History

RECENT = 50  # events that a dashboard begins with


class DashboardConsumer(RealtimeConsumer):
    """What happens on the site, for admins and mentors: figures once a second, and events at once."""

    sends = (DashboardSnapshot, FiguresChanged, DashboardEvent)
    resumes_by = "event_id"

    async def opened(self):
        if not await in_database(may_supervise)(self.user):
            raise Refused(NOT_ALLOWED, "This is for admins and mentors")
        await self.join(GROUP, History(Event.objects.all(), to_frame))
        watchers().add(self)
        await self.greet(Connected(user=self.user_info, heartbeat=HEARTBEAT), await self.snapshot())

    async def closed(self, code):
        watchers().discard(self)

    @in_database
    def snapshot(self) -> DashboardSnapshot:
        try:
            figures: Figures = latest()
        except Exception:  # the cache is away: then they come later
            figures = {}
        recent = Event.objects.order_by("-pk")[:RECENT]
        return DashboardSnapshot(figures=figures, recent=[to_frame(event) for event in reversed(recent)])
