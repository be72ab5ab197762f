from datetime import datetime
from typing import Any

from realtime.frames import ClientFrame, Frame, UserInfo


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


class Connected(Frame, tag="connection_established"):
    user: UserInfo
    unread: int
    heartbeat: int
