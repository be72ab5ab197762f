from datetime import timedelta

from django.utils import timezone

from notifications.models import Notification


def figures():
    new = Notification.objects.filter(created_at__gt=timezone.now() - timedelta(days=1))
    return {"notifications_in_24_h": new.count()}
