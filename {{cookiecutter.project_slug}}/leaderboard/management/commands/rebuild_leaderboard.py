from django.core.management.base import BaseCommand, CommandError

from leaderboard.scores import rebuild
from realtime.publish import flush


class Command(BaseCommand):
    help = "Makes the leaderboard anew from the scores in the database, and shows it to all who watch."

    def handle(self, **options):
        try:
            number = rebuild()
        except ConnectionError as error:
            raise CommandError(f"{error}. Start it, and try again.") from None
        flush()
        self.stdout.write(f"The leaderboard is made anew from {number} scores.")
