from functools import partial

import msgspec

from accounts.mentors import is_mentor
from config.json_views import json_view, read
from mentoring import pages
from mentoring.access import get_mentor, get_student
from mentoring.frames import MentorEvent, StudentEvent, student_states, to_frame, to_info
from mentoring.models import Event


class Message(msgspec.Struct):
    message: str


@json_view("GET")
def index(request):
    """What a user is here: a mentor, or not; and for an admin who is none all mentors."""
    mentor = is_mentor(request.user)
    shown = pages.all_mentors() if request.user.is_superuser and not mentor else []
    return {
        "is_mentor": mentor,
        "is_admin": request.user.is_superuser,
        "mentors": [{"mentor": to_info(each), "students": each.students} for each in shown],
        "may_mentor": pages.may_mentor(request.user),
    }


@json_view("GET")
def mentor(request, mentor_id):
    mentor = get_mentor(request.user, mentor_id)
    events, since = pages.latest(mentor, Event.Stream.MENTOR)
    return {
        "mentor": to_info(mentor),
        "students": student_states(mentor.pk),
        "events": list(map(partial(to_frame, MentorEvent), events)),
        "since": since,
    }


@json_view("GET")
def student(request, student_id):
    student = get_student(request.user, student_id)
    events, since = pages.latest(student, Event.Stream.STUDENT)
    return {
        "student": to_info(student),
        "mentors": list(map(to_info, pages.mentors_of(student))),
        "events": list(map(partial(to_frame, StudentEvent), events)),
        "since": since,
    }


@json_view("POST")
def write(request, student_id):
    pages.write(request.user, get_student(request.user, student_id), read(request, Message).message)
