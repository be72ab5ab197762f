"""Work that one worker does, and another one takes over if the first is gone: submissions and jobs.

A row says what is to be done (`queued`), and when who does it was alive (`running`, `heartbeat_at`). Whoever
takes it raises `attempt`; what is stored afterwards counts only for as long as that number stands there. So a
worker that was believed dead, and is not, changes nothing any more.
"""

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from problems.models import Job, Submission

STALE_SECONDS = 15  # after so long without a sign of life a worker is gone
BEAT_SECONDS = 5
ATTEMPTS = 4  # after which it is the work that ends workers
Work = Submission | Job


class Lost(Exception):
    """Somebody else has taken this over, or nobody needs it any more."""


class Stopped(Exception):
    """This worker ends; others shall do it."""


def waiting() -> Q:
    """What is to be done, or done again."""
    stale = timezone.now() - timedelta(seconds=STALE_SECONDS)
    return Q(state="queued") | Q(state="running", heartbeat_at__lt=stale)


class Claim[W: (Submission, Job)]:
    """A turn at a row. Raises `Lost` if somebody else has it, unless that one is known to be gone."""

    def __init__(self, kind: type[W], pk: int, *, gone: bool = False):
        free = Q(state__in=("queued", "running")) if gone else waiting()
        rows = kind._default_manager.filter(pk=pk)
        if (row := rows.filter(free).select_related("problem").first()) is None:
            raise Lost
        self.row: W = row
        self.own: QuerySet[W] = rows.filter(free, attempt=row.attempt)
        self.keep(state="running", attempt=row.attempt + 1)
        self.own = rows.filter(state="running", attempt=row.attempt)

    @property
    def is_hopeless(self) -> bool:
        return self.row.attempt > ATTEMPTS

    def keep(self, **changes) -> None:
        """Store how far it is, and that this worker is alive."""
        self.store(heartbeat_at=timezone.now(), **changes)

    def give_back(self) -> None:
        """Leave it to others, as if it had not been begun."""
        self.store(state="queued")

    def store(self, **changes) -> None:
        if not self.own.update(**changes):
            raise Lost
        for name, value in changes.items():
            setattr(self.row, name, value)
