"""Standings: who is where, read from the database by its index."""

from leaderboard.models import Score


def best(number: int) -> list[tuple[int, float]]:
    """Return (user id, points) of so many users with the most points."""
    return Score.objects.best(number)


def find(user_id: int) -> tuple[int, float] | None:
    """Return (rank, points) of a user, or None."""
    return Score.objects.standing(user_id)


def record(rows: list[tuple[int, int, float]]) -> bool:
    """Note (user id, version, points) that are stored; True if the publisher has yet to hear of a change."""
    return True


def forget(user_id: int) -> None:
    """Note that a score is deleted."""


def changes() -> int:
    """A number that another one follows whenever something has changed, if that is known."""
    return 0


def is_behind() -> bool:
    """Whether something is amiss that `catch_up` mends."""
    return False


def catch_up(anew: bool = False) -> int:
    """Note what has changed in the database, or all that is there; return how many scores were read."""
    return Score.objects.count() if anew else 0
