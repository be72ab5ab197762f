from datetime import datetime
from typing import Any

import msgspec

from mentoring.models import Event, Mentorship
from realtime.frames import Connected, Frame, UserInfo


class MentorEvent(Frame, tag="mentor_event"):
    event_id: int
    kind: str
    data: dict[str, Any]
    created_at: datetime


class StudentEvent(Frame, tag="student_event"):
    event_id: int
    kind: str
    data: dict[str, Any]
    created_at: datetime


class News(msgspec.Struct):
    """An event of a student, as mentors see it. Its id is of the student's stream, not of the mentor's."""

    event_id: int
    kind: str
    data: dict[str, Any]
    created_at: datetime


class StudentState(msgspec.Struct):
    student: UserInfo
    newest: News | None


class MentorSnapshot(Frame, tag="mentor_snapshot"):
    """A mentor's students, the newest news first: on connect, and when a mentorship begins or ends."""

    students: list[StudentState]


class StudentNews(Frame, tag="student_news"):
    """Something happened to one of a mentor's students."""

    student: UserInfo
    newest: News


class MentorConnected(Connected, tag="connection_established"):
    mentor: UserInfo


class StudentConnected(Connected, tag="connection_established"):
    student: UserInfo


def to_info(user) -> UserInfo:
    return UserInfo(user.pk, user.get_username())


def to_frame[F: (MentorEvent, StudentEvent, News)](kind: type[F], event: Event) -> F:
    return kind(event_id=event.pk, kind=event.kind, data=event.data, created_at=event.created_at)


def student_states(mentor_id: int) -> list[StudentState]:
    """A mentor's students with the newest of each, the newest news first; asks the database."""
    students = Mentorship.objects.students_of(mentor_id)
    return [
        StudentState(student=to_info(student), newest=event and to_frame(News, event))
        for student, event in students
    ]
