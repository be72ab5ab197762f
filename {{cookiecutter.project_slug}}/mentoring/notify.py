"""Tell mentors and students: stored first, then pushed to whoever may see it, in all processes."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db import transaction

from mentoring.frames import MentorEvent, News, StudentEvent, StudentNews, to_frame, to_info
from mentoring.models import Event, Mentorship
from realtime.database import in_database
from realtime.publish import apublish, publish

MENTOR, STUDENT = Event.Stream.MENTOR, Event.Stream.STUDENT


def notify_mentor(mentor_id: int, kind: str, data: dict[str, Any] | None = None) -> Event:
    """Tell a mentor something, from sync code: a view, a signal, a command, a task.

    `kind` is a slug such as `question_asked`. In a transaction it is pushed after the commit, until which no
    other process can tell the same user something. A mentor who is not connected gets it later. Raises
    `User.DoesNotExist` if there is no such user.
    """
    return _notify(mentor_id, MENTOR, kind, data)


def notify_student(student_id: int, kind: str, data: dict[str, Any] | None = None) -> Event:
    """Tell a student something, and the student's mentors as well; else as `notify_mentor`."""
    return _notify(student_id, STUDENT, kind, data)


async def anotify_mentor(mentor_id: int, kind: str, data: dict[str, Any] | None = None) -> Event:
    """Tell a mentor something, from async code: a consumer or an async view; see `notify_mentor`."""
    return await _anotify(mentor_id, MENTOR, kind, data)


async def anotify_student(student_id: int, kind: str, data: dict[str, Any] | None = None) -> Event:
    """Tell a student something, from async code: a consumer or an async view; see `notify_student`."""
    return await _anotify(student_id, STUDENT, kind, data)


def mentor_group(mentor_id: int) -> str:
    return f"mentor.{mentor_id}"


def student_group(student_id: int) -> str:
    return f"student.{student_id}"


def _notify(user_id: int, stream: str, kind: str, data: dict[str, Any] | None) -> Event:
    event, mentors = _store(user_id, stream, kind, data or {})
    for push in _pushes(publish, event, mentors):
        transaction.on_commit(push)
    return event


async def _anotify(user_id: int, stream: str, kind: str, data: dict[str, Any] | None) -> Event:
    event, mentors = await in_database(_store)(user_id, stream, kind, data or {})
    for push in _pushes(apublish, event, mentors):
        await push()
    return event


def _store(user_id: int, stream: str, kind: str, data: dict[str, Any]) -> tuple[Event, list[int]]:
    """Store an event; return it with the ids of the mentors who see it, too."""
    event = Event.objects.store(user_id, stream, kind, data)
    if stream == MENTOR:
        return event, []
    return event, list(Mentorship.objects.filter(student=user_id).values_list("mentor", flat=True))


def _pushes(publish, event: Event, mentors: list[int]) -> Iterator[partial]:
    """Yield what hands out an event, when it is called."""
    own = partial(publish, key=event.pk, after=event.after)
    if event.stream == MENTOR:
        yield partial(own, mentor_group(event.user_id), to_frame(MentorEvent, event))
    else:
        yield partial(own, student_group(event.user_id), to_frame(StudentEvent, event))
    news = StudentNews(student=to_info(event.user), newest=to_frame(News, event)) if mentors else None
    for mentor_id in mentors:
        yield partial(publish, mentor_group(mentor_id), news)
