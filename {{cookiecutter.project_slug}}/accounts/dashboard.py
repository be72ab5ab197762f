from datetime import timedelta

from django.utils import timezone

from accounts.models import User


def figures():
    users, day = User.objects.filter(is_active=True), timezone.now() - timedelta(days=1)
    return {"users": users.count(), "new_users_in_24_h": users.filter(date_joined__gt=day).count()}
