from datetime import timedelta

from django.utils import timezone

from rooms.models import Message, Room


def figures():
    day = timezone.now() - timedelta(days=1)
    return {"rooms": Room.objects.count(), "messages_in_24_h": Message.objects.filter(sent_at__gt=day).count()}
