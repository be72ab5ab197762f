from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from accounts.mentors import MENTORS

STUDENTS = 200  # of a mentor that are shown at most


class MentorshipManager(models.Manager["Mentorship"]):
    def students_of(self, mentor_id: int) -> list[tuple]:
        """Return a mentor's students with the newest event of each, or None; the newest first."""
        events = Event.objects.filter(stream=Event.Stream.STUDENT, user=models.OuterRef("student"))
        newest = models.Subquery(events.order_by("-pk").values("pk")[:1])
        mentorships = self.filter(mentor=mentor_id).select_related("student").annotate(newest=newest)
        shown = list(mentorships.order_by(models.F("newest").desc(nulls_last=True), "pk")[:STUDENTS])
        found = Event.objects.in_bulk([mentorship.newest for mentorship in shown if mentorship.newest])
        return [(mentorship.student, found.get(mentorship.newest)) for mentorship in shown]


class Mentorship(models.Model):
    """A mentor sees the events of a student for as long as this is there, and the mentor is one."""

    mentor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="mentorships",
        limit_choices_to={"groups__name": MENTORS},
    )
    student = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="mentorships_as_student"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MentorshipManager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=("mentor", "student"), name="mentored_once"),
            models.CheckConstraint(
                condition=~models.Q(mentor=models.F("student")),
                name="mentored_by_another",
                violation_error_message="Nobody is their own mentor.",
            ),
        ]

    def __str__(self):
        return f"{self.mentor} mentors {self.student}"


class EventManager(models.Manager["Event"]):
    @transaction.atomic
    def store(self, user_id: int, stream: str, kind: str, data: dict) -> "Event":
        """Store an event in a stream of a user; `after` is the id of the one before it there.

        One at a time for a user, so that ids become visible in order, which `?since=` relies on.
        """
        user = get_user_model().objects.select_for_update(no_key=True).get(pk=user_id)
        before = self.filter(user=user, stream=stream).order_by("-pk").values_list("pk", flat=True).first()
        event = self.create(user=user, stream=stream, kind=kind, data=data)
        event.after = before or 0
        return event


class Event(models.Model):
    """What a user is told as a mentor, or as a student."""

    class Stream(models.TextChoices):
        MENTOR = "mentor"
        STUDENT = "student"

    after: int  # the id of the one before it in the stream; `store` says

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mentoring_events")
    stream = models.CharField(max_length=7, choices=Stream)
    kind = models.SlugField(max_length=50, db_index=False)
    data = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EventManager()

    class Meta:
        ordering = ("pk",)
        indexes = [models.Index(fields=("user", "stream", "id"), name="mentoring_stream")]

    def __str__(self):
        return f"{self.kind} for {self.user} as a {self.stream}"
