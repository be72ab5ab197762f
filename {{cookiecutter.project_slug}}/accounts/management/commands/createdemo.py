import os
import secrets

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User
from config import collect


class Command(BaseCommand):
    help = "Makes the users admin, mentor and student and what apps show with them, and prints the password."

    @transaction.atomic
    def handle(self, **options):
        password = os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(9)
        hashed = make_password(password)  # once: to hash takes a third of a second
        for name in ("admin", "mentor", "student"):
            user = User.objects.filter(username=name).first() or User(username=name)
            if user.pk and not settings.DEBUG:
                raise CommandError(f"There is a user {name} already, whom only DEBUG=true allows to change.")
            user.email = f"{name}@example.com"
            user.is_staff = user.is_superuser = name == "admin"
            user.password = hashed
            user.save()
        collect.create_demo()
        self.stdout.write(f"Users: admin, mentor, student\nPassword: {password}")
