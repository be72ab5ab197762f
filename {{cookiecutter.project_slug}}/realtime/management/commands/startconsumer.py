"""Write an app with a consumer, its frames, a page if this site has pages, and tests.

They are made of realtime/consumer_template/; what is in its frontend/ goes to where pages are built.
"""

import keyword
import re
from contextlib import chdir
from importlib.util import find_spec
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.templates import TemplateCommand

import realtime

KINDS = ["py", "html", "js", "ts", "tsx"]
NEXT = """\
Made {name}/. Next:
  1. Add "{name}" to INSTALLED_APPS in config/settings.py.
  2. make test ARGS={name}
  3. make run, and open {address}
"""
FRONTEND = Path("frontend/src")


class Command(TemplateCommand):
    help = "Writes an app with a consumer of your own: frames, routes, a page and tests that pass."
    rewrite_template_suffixes = tuple((f".{kind}-tpl", f".{kind}") for kind in KINDS)

    def add_arguments(self, parser):
        parser.add_argument("name", help="of the app and its folder, for example polls")

    def handle(self, name, **options):
        options |= {
            "template": str(Path(realtime.__file__).with_name("consumer_template")),
            "extensions": KINDS,
            "files": [],
            "label": name.replace("_", " ").capitalize(),
        }
        with chdir(settings.BASE_DIR):
            super().handle("app", name, **options)
            has_page = Path(name, "urls.py").exists()
            if (pages := Path(name, "frontend")).exists():
                pages.rename(FRONTEND / name)
        host = f"{settings.HOST}:{settings.PORT}"
        address = f"http://{host}/{name}/" if has_page else f"ws://{host}/ws/{name}/ in a client"
        self.stdout.write(NEXT.format(name=name, address=address))

    def validate_name(self, name, name_or_dir="name"):
        if not re.fullmatch(r"[a-z][a-z0-9_]{,24}", name):
            raise CommandError(
                f"{name!r} is no name for an app: use lower-case letters, digits and _, a letter first, "
                "25 characters at most, for example polls."
            )
        for path in (Path(name), Path("static", name), FRONTEND / name):
            if path.exists():
                raise CommandError(f"{path}/ exists already; choose another name, or move that away.")
        problems = {
            "a keyword of Python": keyword.iskeyword(name),
            "an installed app": name in {app.label for app in apps.get_app_configs()},
            "a Python module": find_spec(name) is not None,
        }
        for problem, found in problems.items():
            if found:
                raise CommandError(f"{name!r} is {problem}; choose another name, for example my_{name}.")
