"""Who hears of whom. A room is a group, such as `room.5`, with two more that are named after it.

`room.5.call` are those in its call, of whom all in the room hear; `room.5.waiting` those who wait before its
door, of whom only the host hears, in the group `room.5.host`.
"""

from typing import Literal

from realtime.frames import UserInfo
from realtime.publish import apublish, send_event
from rooms.frames import CallPresence, Presence

CALL, WAITING, HOST = ".call", ".waiting", ".host"


class Full(Exception):
    """As many users as may be are in a group already."""


def parts(group: str) -> list[str]:
    """The groups of which those in a room hear, besides the room itself."""
    return [] if group.endswith((CALL, WAITING)) else [group + CALL, group + WAITING]


async def tell(group: str, user: UserInfo, event: Literal["join", "leave"]) -> None:
    """Tell those whom it concerns that a user came into a group, or left it."""
    if group.endswith(CALL):
        await apublish(group.removesuffix(CALL), CallPresence(event=event, user=user))
    elif group.endswith(WAITING):
        send_event(group.removesuffix(WAITING) + HOST, {"type": "waiting.changed"})
    else:
        await apublish(group, Presence(event=event, user=user), exclude=user.id)
