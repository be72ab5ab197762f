"""Mentors, who see what others do not: the members of a group, which the admin shows under Groups.

Whoever becomes one, or is one no longer, is disconnected, so that every socket opens with what holds now.
"""

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models.signals import m2m_changed, pre_delete, pre_save
from django.dispatch import receiver

from accounts.models import User
from accounts.signals import kick_after_commit

MENTORS = "Mentors"


def is_mentor(user) -> bool:
    """Whether a user is a mentor; asks the database."""
    return user.groups.filter(name=MENTORS).exists()


def may_supervise(user) -> bool:
    """Whether a user is an admin (a superuser) or a mentor; asks the database."""
    return user.is_superuser or is_mentor(user)


def check_supervises(user) -> None:
    """Raise `PermissionDenied` unless a user may supervise."""
    if not may_supervise(user):
        raise PermissionDenied("This is for admins and mentors")


def make_mentor(user) -> None:
    """Make a mentor of a user who has no socket: past the signals below, which would close those."""
    group, _ = Group.objects.get_or_create(name=MENTORS)
    User.groups.through.objects.get_or_create(user=user, group=group)


@receiver(m2m_changed, sender=User.groups.through)
def groups_changed(sender, instance, action, reverse, pk_set, **kwargs):
    """Either side may be the instance: `user.groups.remove(group)` and `group.user_set.remove(user)`."""
    if action not in {"post_add", "post_remove", "pre_clear"}:
        return
    groups = Group.objects.filter(name=MENTORS)
    if reverse:
        changed = instance.user_set.values_list("pk", flat=True) if pk_set is None else pk_set
        kick(changed if instance.name == MENTORS else ())
    elif groups.filter(pk__in=instance.groups.values("pk") if pk_set is None else pk_set).exists():
        kick([instance.pk])


@receiver(pre_save, sender=Group)
def group_renamed(sender, instance, **kwargs):
    before = Group.objects.filter(pk=instance.pk).values_list("name", flat=True).first()
    if before and before != instance.name and MENTORS in {before, instance.name}:
        kick(instance.user_set.values_list("pk", flat=True))


@receiver(pre_delete, sender=Group)
def group_deleted(sender, instance, **kwargs):
    if instance.name == MENTORS:
        kick(instance.user_set.values_list("pk", flat=True))


def kick(user_ids) -> None:
    for user_id in user_ids:
        kick_after_commit(user_id, "Your role was changed")
