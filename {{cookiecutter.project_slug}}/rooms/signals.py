"""Whoever may no longer enter a room is put out of it: the sockets that this may concern ask again."""

from functools import partial

from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver

from realtime.publish import send_event
from rooms.models import Room


@receiver(m2m_changed, sender=Room.members.through)
def members_changed(sender, instance, action, reverse, pk_set, **kwargs):
    """Either side may be the instance: `room.members.remove(user)` and `user.rooms.remove(room)`."""
    if action == "post_remove":
        for pk in pk_set:
            ask_again(*((pk, instance.pk) if reverse else (instance.pk, pk)))
    elif action == "pre_clear" and reverse:
        for pk in instance.rooms.values_list("pk", flat=True):
            ask_again(pk, instance.pk)
    elif action == "pre_clear":
        ask_again(instance.pk)


@receiver(post_save, sender=Room)
def room_changed(sender, instance, created, **kwargs):
    if not created and not instance.is_open:
        ask_again(instance.pk)


@receiver(post_delete, sender=Room)
def room_deleted(sender, instance, **kwargs):
    ask_again(instance.pk)


def ask_again(room_id: int, user_id: int | None = None) -> None:
    """Have the sockets in a room, or those of one user, ask whether they may still be there."""
    transaction.on_commit(partial(send_event, f"room.{room_id}", {"type": "room.changed"}, to=user_id))
