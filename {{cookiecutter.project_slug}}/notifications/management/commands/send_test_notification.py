from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from notifications.notify import notify_user
from realtime.publish import flush


class Command(BaseCommand):
    help = "Notifies a user: stores a notification and pushes it to the user's open sockets."

    def add_arguments(self, parser):
        parser.add_argument("--user-id", type=int, required=True)
        parser.add_argument("--message", default="This is a test.")

    def handle(self, user_id, message, **options):
        if not get_user_model().objects.filter(pk=user_id).exists():
            raise CommandError(f"There is no user {user_id}; `manage.py createdemo` makes some.")
        notification = notify_user(user_id, "test", {"message": message})
        if not flush():
            raise CommandError(
                f"Notification {notification.pk} is stored but was not sent: the log says why."
                " The user gets it with the next connection."
            )
        self.stdout.write(f"Notification {notification.pk} is stored and sent.")
