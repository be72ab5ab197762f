"""What has to be done once a day: see `beat_schedule` in config/tasks.py."""

from celery import shared_task
from django.core.management import call_command


@shared_task
def clean_up():
    """Delete what has expired. To do so twice does no harm."""
    call_command("clearsessions")
#% if cookiecutter.auth != "session"
    call_command("flushexpiredtokens")
#% endif
