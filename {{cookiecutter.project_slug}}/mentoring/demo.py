from accounts.mentors import make_mentor
from accounts.models import User
from mentoring.models import Event, Mentorship

MENTOR, STUDENT = Event.Stream.MENTOR, Event.Stream.STUDENT


def create_demo():
    """Let the user `mentor` be one, of the user `student`, and both have been told something."""
    mentor, student = (User.objects.get(username=name) for name in ("mentor", "student"))
    make_mentor(mentor)
    # Without signals as well: nobody is connected, since the users' passwords are new.
    Mentorship.objects.bulk_create([Mentorship(mentor=mentor, student=student)], ignore_conflicts=True)
    if not Event.objects.filter(user__in=(mentor, student)).exists():
        Event.objects.store(student.pk, STUDENT, "course_joined", {"course": "Live pages with Django"})
        Event.objects.store(student.pk, STUDENT, "grade_received", {"exercise": "Consumers", "points": 9})
        question = {"from": "student", "message": "What does ?since= do?"}
        Event.objects.store(mentor.pk, MENTOR, "question", question)
