"""A score that is deleted, perhaps with its user, leaves the table."""

from functools import partial

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from leaderboard.models import Score
from leaderboard.scores import forget


@receiver(post_delete, sender=Score)
def score_deleted(sender, instance, **kwargs):
    transaction.on_commit(partial(forget, instance.user_id))
