from datetime import timedelta

from django.utils import timezone

from notifications.models import Notification


def figures():
    day = timezone.now() - timedelta(days=1)
    return {"notifications_in_24_h": Notification.objects.filter(created_at__gt=day).count()}
