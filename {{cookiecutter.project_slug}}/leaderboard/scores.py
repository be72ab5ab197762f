"""Points, from sync and async code. The database is the truth; the table follows after the commit."""

import logging
from collections.abc import Iterable
from functools import partial
from itertools import batched

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from leaderboard import standings
from leaderboard.live import touch
from leaderboard.models import MOST, Score
from realtime.database import in_database

logger = logging.getLogger("leaderboard")

BATCH = 500  # scores that are set at a time


def add_score(user_id: int, points: float) -> Score:
    """Add points, or take some with a negative number; return the user's score.

    However many do so at once, no points are lost. In a transaction the table shows them after the commit.
    Raises ValueError for what is no number, or too large a one, and `User.DoesNotExist`.
    """
    points = checked(points)
    own = Score.objects.filter(user_id=user_id)
    with transaction.atomic():
        try:
            if not own.update(**changed(F("points") + points)):
                make([user_id])
                own.update(**changed(F("points") + points))
        except IntegrityError:
            raise ValueError(f"user {user_id} would have points beyond ±2**53") from None
        score = own.get()
        tell_after_commit([score])
    return score


async def aadd_score(user_id: int, points: float) -> Score:
    """Add points from async code; as `add_score`."""
    return await in_database(add_score)(user_id, points)


def update_leaderboard(entries: Iterable[tuple[int, float]] | None = None) -> None:
    """Set the points of users, given as pairs of a user's id and points; the others keep theirs.

    Without entries the table is made anew from the database, as after an import that went past these
    functions. Errors as for `add_score`.
    """
    if entries is None:
        transaction.on_commit(rebuild)
        return
    wanted = {user_id: checked(points) for user_id, points in entries}
    with transaction.atomic():
        for batch in batched(sorted(wanted), BATCH):
            make(batch)
            # Locked in one order, so that two who do this do not wait for each other.
            own = Score.objects.select_for_update().filter(user_id__in=batch).order_by("user_id")
            scores = [
                Score(user_id=score.user_id, points=wanted[score.user_id], version=score.version + 1)
                for score in own
            ]
            for score in scores:
                score.updated_at = Now()
            Score.objects.bulk_create(
                scores,
                update_conflicts=True,
                unique_fields=["user"],
                update_fields=["points", "version", "updated_at"],
            )
            tell_after_commit(scores)


async def aupdate_leaderboard(entries: Iterable[tuple[int, float]] | None = None) -> None:
    """Set points from async code; as `update_leaderboard`."""
    await in_database(update_leaderboard)(entries)


def rebuild() -> int:
    """Make the table anew from the database; return how many scores there are."""
    number = standings.catch_up(anew=True)
    touch()
    return number


def checked(points: float) -> float:
    is_number = isinstance(points, int | float) and not isinstance(points, bool)
    if not is_number or not -MOST <= points <= MOST:
        raise ValueError(f"points are a number between -2**53 and 2**53, and not {points!r:.50}")
    return float(points)


def changed(points):
    return {"points": points, "version": F("version") + 1, "updated_at": Now()}


def make(user_ids) -> None:
    """Make the scores of those who have none; who makes the same ones at the same time does no harm."""
    there = set(Score.objects.filter(user_id__in=user_ids).values_list("user_id", flat=True))
    missing = [user_id for user_id in user_ids if user_id not in there]
    users = get_user_model()
    known = set(users.objects.filter(pk__in=missing).values_list("pk", flat=True))
    if unknown := [user_id for user_id in missing if user_id not in known]:
        raise users.DoesNotExist(f"there is no user {unknown[0]}")
    Score.objects.bulk_create([Score(user_id=user_id) for user_id in missing], ignore_conflicts=True)


def tell_after_commit(scores: list[Score]) -> None:
    rows = [(score.user_id, score.version, score.points) for score in scores]
    transaction.on_commit(partial(tell, rows))


def tell(rows: list[tuple[int, int, float]]) -> None:
    """Have the table show scores that are stored."""
    try:
        if standings.record(rows):
            touch()
    except ConnectionError as error:
        logger.warning("the leaderboard lacks a change until it is repaired: %s", error)
        touch(behind=True)


def forget(user_id: int) -> None:
    """Have the table show somebody no more whose score is deleted."""
    try:
        standings.forget(user_id)
        touch()
    except ConnectionError as error:
        logger.warning("the leaderboard counts user %d until it is rebuilt: %s", user_id, error)
