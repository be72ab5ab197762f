"""Tell the dashboards that something has happened: stored first, then pushed to all of them."""

from typing import Any

from django.db import transaction

from dashboard.frames import DashboardEvent
from dashboard.models import Event
from realtime.database import in_database
from realtime.publish import apublish, publish

GROUP = "dashboard"


def notify_dashboard(kind: str, data: dict[str, Any] | None = None) -> None:
    """Tell the dashboards of an event from sync code: a view, a signal, a command, a task.

    `kind` is a slug such as `submission_created`. In a transaction all is done after the commit, and nothing
    if it is rolled back; should that fail, the log says so, and the caller goes on. Raises `ValidationError`
    if `kind` is no slug or `data` no JSON.
    """
    check(kind, data or {})
    transaction.on_commit(lambda: _store_and_push(kind, data or {}), robust=True)


async def anotify_dashboard(kind: str, data: dict[str, Any] | None = None) -> Event:
    """Tell the dashboards of an event from async code: a consumer or an async view; as `notify_dashboard`."""
    check(kind, data or {})
    event = await in_database(Event.objects.store)(kind, data or {})
    await apublish(GROUP, to_frame(event), key=event.pk, after=event.after)
    return event


def send_test(user, message: str) -> None:
    """Tell the dashboards of an event that a user sends to watch it arrive."""
    message = message.replace("\0", "")  # which not every database takes
    message = message or "It works: this came over the WebSocket."
    notify_dashboard("test", {"message": message[:200], "from": user.get_username()})


def check(kind: str, data: dict[str, Any]) -> None:
    """Raise `ValidationError` for what cannot be stored: now, where the caller can be seen, and not later."""
    Event(kind=kind, data=data).clean_fields()


def to_frame(event: Event) -> DashboardEvent:
    return DashboardEvent(event_id=event.pk, kind=event.kind, data=event.data, created_at=event.created_at)


def _store_and_push(kind: str, data: dict[str, Any]) -> None:
    event = Event.objects.store(kind, data)
    publish(GROUP, to_frame(event), key=event.pk, after=event.after)
