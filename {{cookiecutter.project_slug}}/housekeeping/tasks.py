"""What has to be done once a day: see `beat_schedule` in config/tasks.py."""

from celery import shared_task
from django.core.management import call_command

COMMANDS = "{{ 'clearsessions' if cookiecutter.auth == 'session' else 'clearsessions flushexpiredtokens' }}".split()


@shared_task
def clean_up():
    """Delete what has expired. To do so twice does no harm."""
    for command in COMMANDS:
        call_command(command)
