from datetime import datetime
from typing import Any

from realtime.frames import ClientFrame, Connected, Frame


class MarkRead(ClientFrame, tag="mark_read"):
    notification_id: int


class Notice(Frame, tag="notification"):
    notification_id: int
    kind: str
    data: dict[str, Any]
    created_at: datetime
    read: bool


class NoticeRead(Frame, tag="notification_read"):
    notification_id: int


class NotificationsConnected(Connected, tag="connection_established"):
    """How many are unread; the newest of them follow, if the client names no `?since=`."""

    unread: int
    newest: int  # the last id of those that are counted; 0 if there is none
