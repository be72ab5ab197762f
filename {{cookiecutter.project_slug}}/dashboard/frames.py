from datetime import datetime
from typing import Any

from realtime.frames import Frame


class DashboardEvent(Frame, tag="dashboard_event"):
    """Something has happened: `notify_dashboard` was called."""

    event_id: int
    kind: str
    data: dict[str, Any]
    created_at: datetime


class DashboardSnapshot(Frame, tag="dashboard_snapshot"):
    """What a dashboard begins with: the figures known by now, and the newest events, oldest first."""

    figures: dict[str, float]
    recent: list[DashboardEvent]


class FiguresChanged(Frame, tag="figures"):
    """The figures that have changed, once a second at most."""

    figures: dict[str, float]
