from django.contrib.auth import get_user_model

from leaderboard.models import Score


def create_demo():
    """Give the demo users points, if they have none yet."""
    for name, points in (("mentor", 30), ("student", 20)):
        user = get_user_model().objects.get(username=name)
        Score.objects.get_or_create(user=user, defaults={"points": points})
