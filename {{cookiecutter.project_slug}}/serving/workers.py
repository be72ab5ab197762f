"""What the workers of this server share: a folder for their figures, see `monitoring/sharing.py`."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


@contextmanager
def shared_figures() -> Iterator[None]:
    """Make the folder, if there are several workers, and remove it when they have ended."""
    if settings.WEB_CONCURRENCY == 1 or settings.METRICS_FOLDER:
        yield
        return
    own = os.getpid()
    folder = tempfile.mkdtemp(prefix="{{ cookiecutter.project_slug }}-metrics-")
    os.environ["METRICS_FOLDER"] = folder  # for workers that read the settings anew
    settings.METRICS_FOLDER = Path(folder)
    try:
        yield
    finally:
        if os.getpid() == own:  # a forked worker comes by here, too
            shutil.rmtree(folder, ignore_errors=True)
