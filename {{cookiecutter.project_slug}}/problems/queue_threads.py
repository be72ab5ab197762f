"""Who judges, and asks chat models: a few threads of each process that serves, which look in the database."""

import atexit
import logging
import os
import threading
import time

from django.db import connections, transaction
from django.db.models import Q

from problems.claims import Work, waiting
from problems.models import Job, Submission

logger = logging.getLogger("problems")

# In each process, and of each kind, so that no verdict waits for a chat model.
THREADS: dict[type[Work], int] = {Submission: 2, Job: 2}
PAUSE = 5  # seconds between two looks at what others left
STOP_SECONDS = 3  # for what is running to be left to others


def start(row: Work) -> None:
    """Have this done after the commit."""
    transaction.on_commit(wake)


def wake() -> None:
    """Look at what is to be done, at once and from now on, if there is anything."""
    begun_or_not = Q(state__in=("queued", "running"))
    if any(kind._default_manager.filter(begun_or_not).exists() for kind in THREADS):
        _workers().wake()


class _Workers:
    def __init__(self):
        self.stopped = threading.Event()
        self.more = {kind: threading.Semaphore(0) for kind in THREADS}
        self.threads = [
            threading.Thread(target=self._run, args=[kind], name="judge", daemon=True)
            for kind, number in THREADS.items()
            for _ in range(number)
        ]
        for thread in self.threads:
            thread.start()

    def wake(self) -> None:
        for more in self.more.values():
            more.release()

    def stop(self) -> None:
        """Leave to others what is running."""
        self.stopped.set()
        for kind, number in THREADS.items():
            self.more[kind].release(number)
        deadline = time.monotonic() + STOP_SECONDS
        for thread in self.threads:
            thread.join(max(0, deadline - time.monotonic()))

    def _run(self, kind: type[Work]) -> None:
        while not self.stopped.is_set():
            try:
                while not self.stopped.is_set() and self._do_one(kind):
                    pass
            except Exception as error:
                logger.warning("cannot look for work of the judge: %r", error)
            finally:
                connections.close_all()
            self.more[kind].acquire(timeout=PAUSE)

    def _do_one(self, kind: type[Work]) -> bool:
        """Do the oldest of what is to be done; False if there is nothing."""
        from problems import jobs, judging  # which import this

        work = {Submission: judging.judge, Job: jobs.work}[kind]
        if (row := kind._default_manager.filter(waiting()).order_by("pk").first()) is None:
            return False
        work(row.pk, stop=self.stopped.is_set)
        return True


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
