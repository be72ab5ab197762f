"""Notify a user: stored first, then pushed to the user's sockets in all processes."""

from functools import partial
from typing import Any

from django.db import transaction

from notifications.frames import Notice
from notifications.models import Notification
from realtime.database import in_database
from realtime.publish import apublish, publish


def notify_user(user_id: int, kind: str, data: dict[str, Any] | None = None) -> Notification:
    """Notify a user from sync code: a view, a signal, a command, a task.

    `kind` is a slug such as `grade_received`. In a transaction it is pushed after the commit, until which no
    other process can notify the same user. A user who is not connected gets it later. Raises
    `User.DoesNotExist` if there is no such user.
    """
    notification = Notification.objects.store(user_id, kind, data or {})
    push = partial(
        publish, group_of(user_id), to_frame(notification), key=notification.pk, after=notification.after
    )
    transaction.on_commit(push)
    return notification


async def anotify_user(user_id: int, kind: str, data: dict[str, Any] | None = None) -> Notification:
    """Notify a user from async code: a consumer or an async view; arguments as for `notify_user`."""
    notification = await in_database(Notification.objects.store)(user_id, kind, data or {})
    await apublish(group_of(user_id), to_frame(notification), key=notification.pk, after=notification.after)
    return notification


def send_test(user_id: int, message: str) -> None:
    """Notify a user who wants to watch one arrive."""
    message = message.replace("\0", "")  # which not every database takes
    message = message or "It works: this came over the WebSocket."
    notify_user(user_id, "test", {"message": message[:200]})


def group_of(user_id: int) -> str:
    return f"notifications.{user_id}"


def to_frame(notification: Notification) -> Notice:
    return Notice(
        notification_id=notification.pk,
        kind=notification.kind,
        data=notification.data,
        created_at=notification.created_at,
        read=notification.read_at is not None,
    )
