"""What pages show of mentors and students, and what is written on them."""

from django.contrib.auth import get_user_model
from django.db.models import Count

from accounts.mentors import MENTORS
from mentoring.models import Event
from mentoring.notify import notify_mentor, notify_student

LATEST = 50  # events that a page begins with
LONGEST = 500  # characters that one may write


def all_mentors():
    """Each mentor, with the number of `students`."""
    mentors = get_user_model().objects.filter(groups__name=MENTORS)
    return mentors.annotate(students=Count("mentorships")).order_by("username")


def mentors_of(student):
    mentors = get_user_model().objects.filter(groups__name=MENTORS, mentorships__student=student)
    return mentors.order_by("username")


def latest(user, stream: str) -> tuple[list[Event], int]:
    """Return the newest events of a stream, and the id after which it goes on."""
    events = list(Event.objects.filter(user=user, stream=stream).order_by("-pk")[:LATEST])
    return events, events[0].pk if events else 0


def may_mentor(user) -> bool:
    """Whether a user may say in the admin who mentors whom."""
    return user.is_staff and user.has_perm("mentoring.add_mentorship")


def write(author, student, text: str) -> None:
    """A student asks all the own mentors; others who may see a student tell that student something."""
    text = text.replace("\0", "")  # which not every database takes
    said = {"from": author.get_username(), "message": text.strip()[:LONGEST]}
    if not said["message"]:
        return
    if author != student:
        notify_student(student.pk, "feedback", said)
        return
    notify_student(student.pk, "question", said)
    for mentor in mentors_of(student):
        notify_mentor(mentor.pk, "question", said)
