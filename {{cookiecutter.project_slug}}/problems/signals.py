"""What is done when a problem has changed, and when a process begins to serve."""

import logging
from functools import partial

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from problems import catalog, listing, queue
from problems.models import Problem
from realtime.database import in_database
from serving.hub import begun

logger = logging.getLogger("problems")


@receiver([post_save, post_delete], sender=Problem)
def tell(instance, **kwargs):
    """Have a change be heard of where problems are kept for a while, after the commit."""
    transaction.on_commit(listing.forget)
    transaction.on_commit(partial(catalog.refresh, instance.slug), robust=True)


@receiver(begun)
async def take_up(**kwargs):
    """Go on with what a process has left that served before."""
    try:
        await in_database(queue.wake)()
    except Exception as error:  # whoever opens a page of problems tries again
        logger.warning("cannot look for what is to be judged: %r", error)
