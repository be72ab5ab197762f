"""Sockets check again where they belong when a room changes: some have to leave it, some need not wait."""

from functools import partial

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete
from django.dispatch import receiver

from realtime.publish import send_event
from rooms.audience import WAITING
from rooms.models import Admission, Room


@receiver(m2m_changed, sender=Room.members.through)
def members_changed(sender, instance, action, reverse, pk_set, **kwargs):
    """Either side may be the instance: `room.members.remove(user)` and `user.rooms.remove(room)`."""
    if action == "post_remove":
        for pk in pk_set:
            check_again(*((pk, instance.pk) if reverse else (instance.pk, pk)))
    elif action == "pre_clear" and reverse:
        for pk in instance.rooms.values_list("pk", flat=True):
            check_again(pk, instance.pk)
    elif action == "pre_clear":
        check_again(instance.pk)


@receiver(post_save, sender=Room)
def room_changed(sender, instance, created, **kwargs):
    limited = not instance.is_open or instance.waits or instance.starts_at or instance.ends_at
    if limited and not created:
        check_again(instance.pk)
    elif not created:
        ask(f"{instance.group}{WAITING}")  # they need not any more


@receiver(post_delete, sender=Room)
def room_deleted(sender, instance, **kwargs):
    check_again(instance.pk)


@receiver(pre_delete, sender=get_user_model())
def host_deleted(sender, instance, **kwargs):
    """Nobody waits for a host who is gone. No signal says that the room changes."""
    for pk in instance.hosted_rooms.filter(waits=True).values_list("pk", flat=True):
        check_again(pk)


@receiver([post_save, post_delete], sender=Admission)
def admission_changed(sender, instance, **kwargs):
    check_again(instance.room_id, instance.user_id)


def check_again(room_id: int, user_id: int | None = None) -> None:
    """Have the sockets in a room and before its door, or those of one user, check where they belong."""
    group = Room(pk=room_id).group
    for each in (group, group + WAITING):
        ask(each, user_id)


def ask(group: str, user_id: int | None = None) -> None:
    transaction.on_commit(partial(send_event, group, {"type": "room.changed"}, to=user_id))
