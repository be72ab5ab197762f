from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from realtime.history import LIMIT

KEPT = LIMIT + 1  # events: one more than a client is sent, so that it is told when it missed some


class Feed(models.Model):
    """One row, which is locked while an event is stored."""

    def __str__(self):
        return "the feed"


class EventManager(models.Manager["Event"]):
    @transaction.atomic
    def store(self, kind: str, data: dict) -> "Event":
        """Store an event, and remove those that are too old; `after` is the id of the one before it.

        One at a time, so that ids become visible in order, which `?since=` relies on.
        """
        Feed.objects.select_for_update(no_key=True).get_or_create(pk=1)
        before = self.order_by("-pk").values_list("pk", flat=True).first()
        event = self.create(kind=kind, data=data)
        self.filter(pk__lte=event.pk - KEPT).delete()
        event.after = before or 0
        return event


class Event(models.Model):
    after: int  # the id of the one before it; `store` says

    kind = models.SlugField(max_length=50)
    data = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EventManager()

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return self.kind
