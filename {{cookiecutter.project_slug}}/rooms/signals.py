"""Users who lose access to a room have to leave it: their sockets check again whether they may stay."""

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
            check_again(*((pk, instance.pk) if reverse else (instance.pk, pk)))
    elif action == "pre_clear" and reverse:
        for pk in instance.rooms.values_list("pk", flat=True):
            check_again(pk, instance.pk)
    elif action == "pre_clear":
        check_again(instance.pk)


@receiver(post_save, sender=Room)
def room_changed(sender, instance, created, **kwargs):
    if not created and not instance.is_open:
        check_again(instance.pk)


@receiver(post_delete, sender=Room)
def room_deleted(sender, instance, **kwargs):
    check_again(instance.pk)


def check_again(room_id: int, user_id: int | None = None) -> None:
    """Have the sockets in a room, or those of one user, check whether they may still be there."""
    transaction.on_commit(partial(send_event, f"room.{room_id}", {"type": "room.changed"}, to=user_id))
