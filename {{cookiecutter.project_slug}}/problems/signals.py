"""A change of a problem is heard of where problems are kept for a while, after the commit."""

from functools import partial

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from problems import catalog, listing
from problems.models import Problem


@receiver([post_save, post_delete], sender=Problem)
def tell(instance, **kwargs):
    transaction.on_commit(listing.forget)
    transaction.on_commit(partial(catalog.refresh, instance.slug), robust=True)
