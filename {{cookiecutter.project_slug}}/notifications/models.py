from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

LATEST = 50  # notifications that a page begins with


class NotificationManager(models.Manager["Notification"]):
    @transaction.atomic
    def store(self, user_id: int, kind: str, data: dict) -> "Notification":
        """Store a notification; `after` is the id of the user's last one before it.

        One at a time for a user, so that ids become visible in order, which `?since=` relies on.
        """
        get_user_model().objects.select_for_update(no_key=True).only("pk").get(pk=user_id)
        before = self.filter(user_id=user_id).order_by("-pk").values_list("pk", flat=True).first()
        notification = self.create(user_id=user_id, kind=kind, data=data)
        notification.after = before or 0
        return notification


class Notification(models.Model):
    after: int  # the id of the user's one before it; `store` says

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    kind = models.SlugField(max_length=50)
    data = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationManager()

    class Meta:
        ordering = ("pk",)
        indexes = [
            models.Index(fields=("user", "read_at")),
            models.Index(fields=("user", "id"), name="notifications_of_user"),
        ]

    def __str__(self):
        return f"{self.kind} for {self.user}"


def latest_of(user) -> models.QuerySet[Notification]:
    """The notifications that a page of a user begins with, the newest first."""
    return Notification.objects.filter(user=user).order_by("-pk")[:LATEST]
