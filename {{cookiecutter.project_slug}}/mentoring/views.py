from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.mentors import is_mentor
from config.texts import to_text
from mentoring import pages
from mentoring.access import get_mentor, get_student
from mentoring.models import Event, Mentorship


@login_required
def index(request):
    """For a mentor the own page, for a student as well; for admins all mentors."""
    if is_mentor(request.user):
        return show_mentor(request, request.user)
    if not request.user.is_superuser:
        return redirect("mentoring:student", request.user.pk)
    context = {"mentors": pages.all_mentors(), "may_mentor": pages.may_mentor(request.user)}
    return render(request, "mentoring/index.html", context)


@login_required
def mentor(request, mentor_id):
    return show_mentor(request, get_mentor(request.user, mentor_id))


def show_mentor(request, mentor):
    students = [
        (who, event, to_text(event.data) if event else [])
        for who, event in Mentorship.objects.students_of(mentor.pk)
    ]
    context = {"mentor": mentor, "students": students, **latest(mentor, Event.Stream.MENTOR)}
    return render(request, "mentoring/mentor.html", context)


@login_required
def student(request, student_id):
    student = get_student(request.user, student_id)
    mentors = pages.mentors_of(student)
    context = {"student": student, "mentors": mentors, **latest(student, Event.Stream.STUDENT)}
    return render(request, "mentoring/student.html", context)


def latest(user, stream):
    """Return the newest events of a stream, with their data as texts, and the id after which it goes on."""
    events, since = pages.latest(user, stream)
    return {"events": [(event, to_text(event.data)) for event in events], "since": since}


@login_required
@require_POST
def write(request, student_id):
    pages.write(request.user, get_student(request.user, student_id), request.POST.get("message", ""))
    return redirect("mentoring:student", student_id)
