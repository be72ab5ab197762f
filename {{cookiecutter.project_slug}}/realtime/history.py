"""History: what is stored for a group, and sent to a client that comes back."""

from collections.abc import Callable

from django.db.models import Max, QuerySet

from realtime.database import in_database
from realtime.frames import Frame

PAGE = 25  # rows that are in memory at a time for a client that reads slowly
LIMIT = 1000  # rows that a client is sent at most; it is told if it missed more

Page = list[tuple[int, Frame]]


class History:
    """The stored rows of a group, whose ids become visible in their order.

    `to_frame` makes a frame of a row. `unseen` is what a client is sent that names no `?since=`; by default
    nothing.
    """

    def __init__(self, rows: QuerySet, to_frame: Callable[..., Frame], unseen: QuerySet | None = None):
        self.rows = rows.order_by("pk")
        self.to_frame = to_frame
        self.unseen = None if unseen is None else unseen.order_by("pk")

    @in_database
    def newest(self) -> int:
        """The id of the newest row; 0 if there is none."""
        return _newest(self.rows)

    @in_database
    def begin(self, since: int | None, now: int) -> tuple[QuerySet, int, int | None, Page]:
        """Where to begin: return rows, the ids after which and up to which they are sent, and the first page.

        `now` is the id of the newest row when the client came. Who missed more than `LIMIT` rows gets the
        newest of them; who names an id which is not reached yet, since the database was restored from a
        backup, gets those that are new from now on.
        """
        if since is None:
            if self.unseen is None:
                return self.rows, now, None, []
            start = _skip(self.unseen, 0)
            return self.unseen, start, now, self._page(self.unseen, start, now)
        page = self._page(self.rows, since)
        if not page and since > (newest := _newest(self.rows)):
            return self.rows, newest, None, []
        if len(page) == PAGE and (start := _skip(self.rows, since)) != since:
            since, page = start, self._page(self.rows, start)
        return self.rows, since, None, page

    @in_database
    def page(self, rows: QuerySet, after: int, until: int | None = None) -> Page:
        """The next rows after an id, as frames with their ids."""
        return self._page(rows, after, until)

    def _page(self, rows: QuerySet, after: int, until: int | None = None) -> Page:
        rows = rows.filter(pk__gt=after)
        if until is not None:
            rows = rows.filter(pk__lte=until)
        return [(row.pk, self.to_frame(row)) for row in rows[:PAGE]]


def _newest(rows: QuerySet) -> int:
    return rows.aggregate(newest=Max("pk"))["newest"] or 0


def _skip(rows: QuerySet, after: int) -> int:
    """The id after which at most `LIMIT` rows are left."""
    newest_first = rows.filter(pk__gt=after).order_by("-pk").values_list("pk", flat=True)
    return next(iter(newest_first[LIMIT : LIMIT + 1]), after)
