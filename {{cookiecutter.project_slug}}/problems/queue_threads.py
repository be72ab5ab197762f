"""Who judges: a few threads of each process that serves, which look in the database for work."""

import atexit
import logging
import os
import threading

from django.db import connections, transaction
from django.db.models import Q

from problems.claims import Work, waiting
from problems.models import Job, Submission

logger = logging.getLogger("problems")

THREADS = 2  # in each process
KINDS: tuple[type[Submission], type[Job]] = (Submission, Job)
PAUSE = 5  # seconds between two looks at what others left
STOP_SECONDS = 3  # for what is running to be left to others


def start(row: Work) -> None:
    """Have this done after the commit."""
    transaction.on_commit(wake)


def wake() -> None:
    """Look at what is to be done, at once and from now on, if there is anything."""
    begun_or_not = Q(state__in=("queued", "running"))
    if any(kind._default_manager.filter(begun_or_not).exists() for kind in KINDS):
        _workers().wake()


class _Workers:
    def __init__(self):
        self.stopped = threading.Event()
        self.more = threading.Semaphore(0)
        self.threads = [threading.Thread(target=self._run, name="judge", daemon=True) for _ in range(THREADS)]
        for thread in self.threads:
            thread.start()

    def wake(self) -> None:
        self.more.release()

    def stop(self) -> None:
        """Leave to others what is running."""
        self.stopped.set()
        for _ in self.threads:
            self.more.release()
        for thread in self.threads:
            thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self.stopped.is_set():
            try:
                while not self.stopped.is_set() and self._do_one():
                    pass
            except Exception as error:
                logger.warning("cannot look for submissions to judge: %r", error)
            finally:
                connections.close_all()
            self.more.acquire(timeout=PAUSE)

    def _do_one(self) -> bool:
        """Do the oldest of what is to be done; False if there is nothing."""
        from problems import jobs, judging  # which import this

        for kind, work in zip(KINDS, (judging.judge, jobs.work), strict=True):
            if (row := kind._default_manager.filter(waiting()).order_by("pk").first()) is not None:
                work(row.pk, stop=self.stopped.is_set)
                return True
        return False


_current: _Workers | None = None
_lock = threading.Lock()


def _workers() -> _Workers:
    global _current
    with _lock:
        if _current is None:
            _current = _Workers()
            atexit.register(stop)
        return _current


def stop() -> None:
    """End the threads of this process."""
    global _current
    with _lock:
        workers, _current = _current, None
    if workers is not None:
        workers.stop()


def _start_anew() -> None:
    """A forked child has none of its parent's threads."""
    global _current, _lock
    _current, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_start_anew)
