from datetime import timedelta

from django.utils import timezone

from assistant.models import ChatMessage


def figures():
    new = ChatMessage.objects.filter(
        role=ChatMessage.Role.ASSISTANT, created_at__gt=timezone.now() - timedelta(days=1)
    )
    return {
        "answers_in_24_h": new.count(),
        "failed_answers_in_24_h": new.filter(reason=ChatMessage.Reason.ERROR).count(),
        "answers_being_written": ChatMessage.objects.live().count(),
    }
