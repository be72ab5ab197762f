"""Workers of Celery, and its clock, as their owners run them."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress

from polling import until_served
from serving import ENVIRONMENT

STARTS_WITHIN = 60  # seconds, on a busy machine


@contextmanager
def celery(project, *arguments, ready="ready.", **environment):
    """Run a worker, or beat; yield its process when it has said that it is ready."""
    log = project.folder.with_suffix(f".celery.{time.monotonic_ns()}.log")
    command = [project.folder / ".venv/bin/celery", "--app", "config", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=project.folder,
            env=ENVIRONMENT | {"PYTHONUNBUFFERED": "1", "CELERY_WORKER_CONCURRENCY": "1"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said():
        return log.read_text(encoding="utf-8", errors="replace")

    process.said = said
    try:
        until_served(lambda: ready in said(), STARTS_WITHIN, process, said)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGQUIT if "worker" in arguments else signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
        kill(process)
        print(f"--- {arguments}", said(), sep="\n")


def kill(process):
    """Kill a worker and the children of its pool, as a host that goes."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait(process, condition, seconds=40):
    until_served(condition, seconds, process, process.said)
