"""What developers are told whenever the server starts anew, as by Django's runserver."""

import sys

import django
from django.core.management.base import BaseCommand, SystemCheckError
from django.db import connections

from serving.preflight import look_for_database


def check_project() -> None:
    """Run the system checks, and tell of migrations that are not applied.

    With an error it does not return, but ends this thread or process; the reloader waits for the next change.
    """
    django.setup()
    command = BaseCommand()
    try:
        command.check(tags=["models"])  # first, since the admin's own fail on a model that is not there
        command.check(display_num_errors=True)
    except SystemCheckError as error:
        command.stderr.write(f"{error}\n\nThe server starts again when this is mended.", str)
        sys.exit(1)
    if look_for_database():
        command.check_migrations()
    connections.close_all()
