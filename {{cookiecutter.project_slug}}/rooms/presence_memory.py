"""Presence: who is in a group. All guests count as one user, without an id.

The in-memory layer means one process, so a dictionary knows it all.
"""

from typing import Literal

from realtime.frames import UserInfo
from rooms.audience import Full, tell

_present: dict[str, dict[str, UserInfo]] = {}


async def enter(group: str, socket_id: str, user: UserInfo, limit: int = 0) -> bool:
    """Note that a user's socket is in a group; True if it is that user's first one there.

    Raises `Full` if that would make more users than a limit, if there is one.
    """
    users = {other.id for other in _present.get(group, {}).values()}
    first = user.id not in users
    if first and limit and len(users) >= limit:
        raise Full
    _present.setdefault(group, {})[socket_id] = user
    return first


async def leave(group: str, socket_id: str, user: UserInfo) -> bool:
    """Undo `enter`; True if it was that user's last socket there."""
    sockets = _present.get(group, {})
    if sockets.pop(socket_id, None) is None:
        return False
    if not sockets:
        _present.pop(group, None)
    return all(other.id != user.id for other in sockets.values())


async def present(group: str) -> list[UserInfo]:
    """Who is in a group, each user once, in order of arrival."""
    return list({user.id: user for user in _present.get(group, {}).values()}.values())


async def is_present(group: str, user_id: int | None) -> bool:
    """Whether a user is in a group."""
    return any(user.id == user_id for user in _present.get(group, {}).values())


async def announce(group: str, user: UserInfo, event: Literal["join", "leave"]) -> None:
    """Tell the others that a user came or left."""
    await tell(group, user, event)
