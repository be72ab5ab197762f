"""How a server starts that has no reloader of its own; it ends with `serving/stopping.py`."""

import sys
import threading
from collections.abc import Callable

from django.conf import settings
from django.utils import autoreload
from django.utils.log import configure_logging

from serving.preflight import preflight

CHECK_SECONDS = 30  # after which sources are watched although the checks hang

checked = threading.Event()


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
    """Watch the project's own packages whole: of what could not be imported, Django watches nothing.

    Not before the checks have ended, in their own thread: the reloader does not survive that a module which
    it is about to look at goes again, as one does whose import fails.
    """
    for package in settings.BASE_DIR.glob("*/__init__.py"):
        sender.watch_dir(package.parent, "**/*.py")
    checked.wait(CHECK_SECONDS)


def develop(serve: Callable[[], None]) -> None:
    from serving.development import check_project  # which production needs not even import

    try:
        check_project()
    finally:
        checked.set()
    serve()
