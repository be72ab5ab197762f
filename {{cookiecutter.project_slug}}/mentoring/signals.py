"""Who may no longer see somebody is disconnected there, and a mentor's list of students follows."""

from functools import partial

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver

from mentoring.models import Mentorship
from mentoring.notify import mentor_group, student_group
from realtime.publish import send_event


@receiver(pre_save, sender=Mentorship)
def remember(sender, instance, **kwargs):
    """Look at the row as it was: it may become that of another mentor or student."""
    instance._before = Mentorship.objects.filter(pk=instance.pk).values_list("mentor", "student").first()


@receiver(post_save, sender=Mentorship)
def mentorship_saved(sender, instance, **kwargs):
    for mentor_id, student_id in {instance._before, (instance.mentor_id, instance.student_id)} - {None}:
        tell(mentor_id, student_id)


@receiver(post_delete, sender=Mentorship)
def mentorship_ended(sender, instance, **kwargs):
    tell(instance.mentor_id, instance.student_id)


@receiver(post_delete, sender=get_user_model())
def user_deleted(sender, instance, **kwargs):
    """The user's own sockets are closed by `accounts/signals.py`; these are the admins'."""
    for group in (mentor_group(instance.pk), student_group(instance.pk)):
        after_commit(group, "access.changed")


def tell(mentor_id: int, student_id: int) -> None:
    """Have a mentor's sockets at a student check whether they may stay, and the list of students follow."""
    after_commit(student_group(student_id), "access.changed", to=mentor_id)
    after_commit(mentor_group(mentor_id), "students.changed")


def after_commit(group: str, kind: str, to: int | None = None) -> None:
    transaction.on_commit(partial(send_event, group, {"type": kind}, to=to))
