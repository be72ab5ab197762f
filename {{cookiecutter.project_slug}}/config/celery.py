"""The application of Celery: `celery --app config worker` runs tasks, `... beat` is their clock."""

import os

from celery import Celery
from celery.signals import setup_logging, task_postrun, worker_process_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("{{ cookiecutter.project_slug }}")
app.config_from_object("config.tasks")
app.autodiscover_tasks()


@setup_logging.connect
def keep_logging(**kwargs):
    """Leave it as Django has it set up; Celery would replace that."""


@task_postrun.connect
@worker_process_shutdown.connect
def send_what_waits(**kwargs):
    """Send what was published: a child of the pool leaves by `os._exit`, at which nothing else does."""
    from realtime.publish import flush

    flush()
