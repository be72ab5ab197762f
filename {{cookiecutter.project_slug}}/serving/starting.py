"""How a server starts that has no reloader of its own; it ends with `serving/stopping.py`."""

import sys
from collections.abc import Callable

from django.conf import settings
from django.utils import autoreload
from django.utils.log import configure_logging

from serving.preflight import preflight


def start_server(serve: Callable[[], None], serve_for_development: Callable[[], None]) -> None:
    """Serve, or with `--reload` serve for development: anew whenever a source changes."""
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    preflight()
    if "--reload" in sys.argv:
        autoreload.autoreload_started.connect(watch_sources)
        autoreload.run_with_reloader(develop, serve_for_development)  # sees templates and translations, too
    else:
        serve()


def watch_sources(sender, **kwargs) -> None:
    """Watch the project's own packages whole: of what could not be imported, Django watches nothing."""
    for package in settings.BASE_DIR.glob("*/__init__.py"):
        sender.watch_dir(package.parent, "**/*.py")


def develop(serve: Callable[[], None]) -> None:
    from serving.development import check_project  # which production needs not even import

    check_project()
    serve()
