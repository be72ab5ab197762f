"""What the workers of this server share: a folder for their figures, see `monitoring/sharing.py`."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


@contextmanager
def shared_figures(workers: int) -> Iterator[None]:
    """Make the folder, if several workers have metrics to give, and remove it when they have ended."""
    if workers == 1 or settings.METRICS_FOLDER or not settings.METRICS_TOKEN:
        yield
        return
    own = os.getpid()
    try:
        folder = tempfile.mkdtemp(prefix="{{ cookiecutter.project_slug }}-metrics-")
    except OSError as error:
        sys.exit(f"There is no folder for the workers' metrics: {error}. Set METRICS_FOLDER to one.")
    os.environ["METRICS_FOLDER"] = folder  # for workers that read the settings anew
    settings.METRICS_FOLDER = Path(folder)
    try:
        yield
    finally:
        if os.getpid() == own:  # a forked worker comes by here, too
            shutil.rmtree(folder, ignore_errors=True)
