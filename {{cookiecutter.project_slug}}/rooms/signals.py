"""Whoever may no longer enter a room is put out of it: every socket in it asks again."""

from functools import partial

from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver

from realtime.publish import send_event
from rooms.models import Room


@receiver(m2m_changed, sender=Room.members.through)
def members_changed(sender, instance, action, reverse, pk_set, **kwargs):
    """Either side may be the instance: `room.members.remove(user)` and `user.rooms.remove(room)`."""
    if action.startswith("post_"):
        rooms = [instance.pk] if not reverse else pk_set or Room.objects.values_list("pk", flat=True)
        for pk in rooms:
            ask_again(pk)


@receiver([post_save, post_delete], sender=Room)
def room_changed(sender, instance, created=False, **kwargs):
    if not created:
        ask_again(instance.pk)


def ask_again(pk: int) -> None:
    transaction.on_commit(partial(send_event, f"room.{pk}", {"type": "room.changed"}))
