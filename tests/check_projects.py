"""Run `manage.py check --deploy` in the projects given as arguments, and ask whether a migration is missing.

Each runs in a fork of this process, which has imported once for all what needs no settings.
"""

import os
import sys
import traceback

import channels.generic.websocket  # noqa: F401
import channels_redis.core  # noqa: F401
import django.db.migrations.autodetector
import django.forms
import django.test.signals
import environs  # noqa: F401
import jsonschema  # noqa: F401
import psycopg_pool  # noqa: F401
from django.core.management import call_command


def check(project):
    os.chdir(project)
    sys.path.insert(0, project)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    call_command("check", deploy=True, fail_level="WARNING")
    if django.db.connection.vendor == "sqlite":  # to reach PostgreSQL this would need a server
        call_command("makemigrations", check=True, dry_run=True)


def check_in_fork(project):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    try:
        check(project)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


failed = [project for project in sys.argv[1:] if not check_in_fork(project)]
sys.exit(f"failed: {' '.join(failed)}" if failed else 0)
