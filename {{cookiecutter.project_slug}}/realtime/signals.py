"""Live updates from signals: a function is called with a row once the change of that is committed.

What is rolled back is never told. An error of such a function is logged, and goes no further: the row is
stored by then, and whoever stored it goes on.
"""

import copy
from collections.abc import Callable
from functools import partial, update_wrapper

from django.db import models, transaction
from django.db.models.signals import post_delete, post_save


def after_save[Row: models.Model, F: Callable](model: type[Row]) -> Callable[[F], F]:
    """Have a function called after the commit with each row that was saved, as it was saved.

        @after_save(Submission)
        def tell(submission, created):
            ...

    Like all of Django's signals it misses what `update()` and `bulk_create()` do; and rows that `loaddata`
    brings are not news.
    """

    def connect(function: F) -> F:
        def saved(sender, instance, created, raw, using, **kwargs):
            if not raw:
                _after_commit(using, function, instance, created)

        post_save.connect(saved, sender=model, weak=False)
        return function

    return connect


def after_delete[Row: models.Model, F: Callable](model: type[Row]) -> Callable[[F], F]:
    """Have a function called after the commit with each row that was deleted, which still has its id."""

    def connect(function: F) -> F:
        def deleted(sender, instance, using, **kwargs):
            _after_commit(using, function, instance)

        post_delete.connect(deleted, sender=model, weak=False)
        return function

    return connect


def _after_commit(using: str, function: Callable, row: models.Model, *arguments) -> None:
    call = update_wrapper(partial(function, copy.copy(row), *arguments), function)  # whose name Django logs
    transaction.on_commit(call, using=using, robust=True)
