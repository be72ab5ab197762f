from django.contrib.auth import get_user_model

from leaderboard.scores import update_leaderboard


def create_demo():
    """Give the demo users points, if they have none yet."""
    users = get_user_model().objects.filter(username__in=("mentor", "student"), score=None)
    update_leaderboard([(user.pk, 30 if user.username == "mentor" else 20) for user in users])
