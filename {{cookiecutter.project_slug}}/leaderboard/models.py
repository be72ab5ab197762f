from django.conf import settings
from django.db import models
from django.db.models.functions import Now

MOST = 2**53  # points: so far all whole numbers are exact, in JavaScript too


class ScoreQuerySet(models.QuerySet):
    def best(self, number):
        """Return (user id, points) of so many users with the most points."""
        return list(self.order_by("-points", "user_id").values_list("user_id", "points")[:number])

    def standing(self, user_id):
        """Return (rank, points) of a user, or None. Whose points are equal shares a rank."""
        points = self.filter(user_id=user_id).values_list("points", flat=True).first()
        return None if points is None else (self.filter(points__gt=points).count() + 1, points)


class Score(models.Model):
    """What a user has; `leaderboard.scores` changes it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="score")
    points = models.FloatField(default=0)
    version = models.BigIntegerField(default=0, editable=False)  # one more with each change
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ScoreQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=("-points", "user"), name="leaderboard_order"),
            models.Index(fields=("updated_at",), name="leaderboard_changes"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(points__gte=-MOST, points__lte=MOST),
                name="points_are_exact",
                violation_error_message="Points are a number between -2**53 and 2**53.",
            ),
        ]

    def __str__(self):
        return f"{self.user}: {self.points:g}"
