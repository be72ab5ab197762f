from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from leaderboard.scores import add_score
from realtime.publish import flush


class Command(BaseCommand):
    help = "Gives a user points, which those who watch the leaderboard see."

    def add_arguments(self, parser):
        parser.add_argument("username")
        parser.add_argument("points", type=float)

    def handle(self, username, points, **options):
        user = get_user_model().objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username}; `manage.py createdemo` makes some.")
        try:
            score = add_score(user.pk, points)
        except ValueError as error:
            raise CommandError(str(error)) from None
        if not flush():
            raise CommandError(f"{username} has {score.points:g} points. Nobody was told: the log says why.")
        self.stdout.write(f"{username} has {score.points:g} points.")
