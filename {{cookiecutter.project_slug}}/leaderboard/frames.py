"""What is said of the table: a snapshot first, then what changed in it."""

import msgspec

from realtime.frames import ClientFrame, Frame, UserInfo


class Entry(msgspec.Struct, frozen=True):
    """A place in the table; users with equal scores share a rank."""

    rank: int
    user: UserInfo
    score: float


class Standing(msgspec.Struct):
    """A user's own place; null for who has no score."""

    rank: int | None
    score: float | None


class LeaderboardSnapshot(Frame, tag="leaderboard_snapshot"):
    """The top of the table, and the user's own place."""

    version: int
    entries: list[Entry]
    you: Standing


class LeaderboardChanged(Frame, tag="leaderboard_changed"):
    """What differs from the table of the version before: new and changed entries, and users who left.

    Whoever has that version or a later one ignores it. Whoever lacks one in between asks for a `snapshot`,
    and keeps what comes before that, which may be newer.
    """

    version: int
    changed: list[Entry]
    removed: list[int]


class AskSnapshot(ClientFrame, tag="snapshot"):
    """Answered with `leaderboard_snapshot`."""


class AskRank(ClientFrame, tag="my_rank"):
    """The reply has the user's own place of now, also of those who are not in the top."""
