from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.mentors import MENTORS, is_mentor
from config.texts import to_text
from mentoring.access import get_mentor, get_student
from mentoring.models import Event, Mentorship
from mentoring.notify import notify_mentor, notify_student

LATEST = 50  # events that a page begins with


def all_mentors():
    return get_user_model().objects.filter(groups__name=MENTORS).order_by("username")


def mentors_of(student):
    return all_mentors().filter(mentorships__student=student)


@login_required
def index(request):
    """For a mentor the own page, for a student as well; for admins all mentors."""
    if is_mentor(request.user):
        return show_mentor(request, request.user)
    if not request.user.is_superuser:
        return redirect("mentoring:student", request.user.pk)
    mentors = all_mentors().annotate(students=Count("mentorships"))
    return render(request, "mentoring/index.html", {"mentors": mentors})


@login_required
def mentor(request, mentor_id):
    return show_mentor(request, get_mentor(request.user, mentor_id))


def show_mentor(request, mentor):
    students = [
        (who, event, to_text(event.data) if event else [])
        for who, event in Mentorship.objects.students_of(mentor.pk)
    ]
    events = latest(mentor, Event.Stream.MENTOR)
    return render(request, "mentoring/mentor.html", {"mentor": mentor, "students": students, **events})


@login_required
def student(request, student_id):
    student = get_student(request.user, student_id)
    mentors = mentors_of(student)
    events = latest(student, Event.Stream.STUDENT)
    return render(request, "mentoring/student.html", {"student": student, "mentors": mentors, **events})


def latest(user, stream):
    """Return the newest events of a stream, with their data as texts, and the id after which it goes on."""
    events = Event.objects.filter(user=user, stream=stream).order_by("-pk")[:LATEST]
    shown = [(event, to_text(event.data)) for event in events]
    return {"events": shown, "since": shown[0][0].pk if shown else 0}


@login_required
@require_POST
def write(request, student_id):
    """A student asks all the own mentors; others who may see a student tell that student something."""
    student = get_student(request.user, student_id)
    text = request.POST.get("message", "").strip()[:500]
    said = {"from": request.user.get_username(), "message": text}
    if text and student == request.user:
        notify_student(student.pk, "question", said)
        for mentor in mentors_of(student):
            notify_mentor(mentor.pk, "question", said)
    elif text:
        notify_student(student.pk, "feedback", said)
    return redirect("mentoring:student", student.pk)
