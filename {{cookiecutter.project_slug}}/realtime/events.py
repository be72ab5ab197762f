"""Events: what travels through the channel layer, from a publisher to the hub of each process."""

import json
from typing import Any

import msgspec
from channels.layers import BaseChannelLayer

from realtime.frames import to_text

TEXT = "hub.text"  # carries an encoded frame
KICK = "hub.kick"  # closes a user's sockets
GAP = "hub.gap"  # tells a group that an event was lost on its way
PROBE = "hub.probe"  # what a process sends to itself
HERE, GONE = "hub.here", "hub.gone"  # a process says that it is here, or that it ends
QUESTION, ANSWER = "hub.question", "hub.answer"  # processes ask each other; see `realtime.processes`
EVERYWHERE = "realtime.processes"  # the group in which each process is a member

_layer = BaseChannelLayer()  # for its rules


class NobodyListens(ConnectionError):
    """No process has sockets, so nobody misses the event: who comes later finds what is stored."""


def text_event(
    frame: msgspec.Struct | dict[str, Any],
    key: int | None = None,
    after: int | None = None,
    to: int | None = None,
    exclude: int | None = None,
    droppable: bool = False,
) -> dict[str, Any]:
    """Make the event that carries a frame; for the arguments see `realtime.publish.apublish`."""
    if (key is None) != (after is None):
        raise TypeError("An event has both a key and the key `after` which it comes (0: none), or neither")
    event: dict[str, Any] = {"type": TEXT, "text": to_text(frame)}
    for name, value in (("key", key), ("after", after), ("to", to), ("exclude", exclude)):
        if value is not None:
            event[name] = value
    if droppable:
        event["droppable"] = True
    return event


def check_group(name: str) -> None:
    """Raise TypeError for a group's name that one of the channel layers would not take."""
    _layer.require_valid_group_name(name)


def check(group: str, event: dict[str, Any]) -> None:
    """Refuse what one of the channel layers would not take: raise TypeError or ValueError.

    A group's name has less than 100 letters, digits, hyphens, underscores and periods. An event of one's own
    has a `type` and consists of what JSON knows.
    """
    check_group(group)
    if event.get("type") == TEXT:
        return  # made above
    if not isinstance(event.get("type"), str) or json.loads(json.dumps(event)) != event:
        raise TypeError(f"An event is a dict with a `type`, of what JSON knows, and not {event!r:.200}")
