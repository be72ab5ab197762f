from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.challenge import GROUP, name_of, password_of
from accounts.models import User
from config import collect

MOST = 1000


class Command(BaseCommand):
    help = "Makes users for `make loadtest`, and what they need; 0 removes them with all that they wrote."

    def add_arguments(self, parser):
        parser.add_argument("number", type=int, help=f"how many of them there shall be, up to {MOST}")

    def handle(self, number, **options):
        token = settings.LOADTEST_TOKEN
        if not 0 <= number <= MOST:
            raise CommandError(f"Give a number of users from 0 to {MOST}.")
        if number and not token:
            raise CommandError(
                "LOADTEST_TOKEN is not set here, from which their passwords come. Set it to 32 or more"
                " random characters, for example from `openssl rand -hex 32`."
            )
        names = [name_of(n) for n in range(1, number + 1)]
        strangers = User.objects.filter(username__in=names).exclude(groups__name=GROUP)
        if stranger := strangers.first():
            raise CommandError(f"There is a user {stranger} already, whom this command did not make.")
        with ThreadPoolExecutor() as threads:  # it takes half a second each
            hashes = list(threads.map(make_password, [password_of(name, token) for name in names]))
        self.save(dict(zip(names, hashes, strict=True)))
        self.stdout.write(f"There are {number} users for load tests." if number else "They are gone.")

    @transaction.atomic
    def save(self, passwords):
        group, _ = Group.objects.get_or_create(name=GROUP)
        group.user_set.exclude(username__in=passwords).delete()
        users = [
            User.objects.update_or_create(
                username=name,
                defaults={"password": hash, "is_active": True, "is_staff": False, "is_superuser": False},
            )[0]
            for name, hash in passwords.items()
        ]
        group.user_set.set(users)
        collect.set_up_loadtest(users)
        if not users:
            group.delete()
