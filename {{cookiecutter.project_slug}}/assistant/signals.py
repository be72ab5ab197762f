"""The sockets of a session that is deleted are closed, whoever deletes it."""

from functools import partial

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from assistant.models import ChatSession
from realtime.publish import send_event


@receiver(post_delete, sender=ChatSession)
def session_deleted(sender, instance, **kwargs):
    transaction.on_commit(partial(send_event, instance.group, {"type": "session.deleted"}))
