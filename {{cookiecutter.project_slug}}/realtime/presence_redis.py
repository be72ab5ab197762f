"""Presence: who is in a group, across all processes.

A group is a sorted set in Redis: a member is a socket and its user, the score is when it was last seen, by
the clock of Redis. Each process confirms its own sockets every `CONFIRM_SECONDS`. Those of a process that
died are found by the others, which then say that the user left.
"""

import asyncio
import logging
from weakref import WeakKeyDictionary

import msgspec
from channels.layers import get_channel_layer

from realtime.frames import Presence, UserInfo
from realtime.publish import apublish
from realtime.redis import ask, get_redis

logger = logging.getLogger("realtime")

CONFIRM_SECONDS = 15
LOST_SECONDS = 45

# What these return is who is there afterwards.
ENTER = "redis.call('ZADD', KEYS[1], now, ARGV[2])"
LEAVE = "redis.call('ZREM', KEYS[1], ARGV[2])"
CONFIRM = "for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', now, ARGV[i]) end"  # not who has just left
LOOK = ""
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
{}
redis.call('EXPIRE', KEYS[1], 2 * ARGV[1])
return redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[1], '+inf')
"""
# Takes off who was not confirmed in time, and returns them: only one process gets to hear of each.
BURY = """
local before = redis.call('TIME')[1] - ARGV[1]
local lost = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. before)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. before)
return lost
"""


class _Entry(msgspec.Struct, array_like=True):
    socket_id: str
    user: UserInfo


_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(_Entry).decode


class _Registry:
    """The entries of the sockets on one event loop, which it keeps alive."""

    def __init__(self):
        self.own: dict[str, dict[str, bytes]] = {}  # by group, then by socket
        self.leaving: list[tuple[str, bytes]] = []  # who left while Redis was away
        self.confirming = asyncio.create_task(self._confirm())

    async def change(self, group: str, action: str, *members: bytes) -> list[_Entry]:
        """Do something with members of a group's set and return who is in it."""
        return await self._run(SCRIPT.format(action), group, *members)

    async def _run(self, script: str, group: str, *members: bytes) -> list[_Entry]:
        key = f"{get_channel_layer().prefix}.presence.{group}"
        return [_decode(raw) for raw in await ask(get_redis().eval, script, 1, key, LOST_SECONDS, *members)]

    async def leave(self, group: str, member: bytes) -> bool:
        """Take off a member; say whether it was its user's last one. Done later if Redis is away."""
        try:
            entries = await self.change(group, LEAVE, member)
        except ConnectionError:
            self.leaving.append((group, member))
            return False
        return all(entry.user.id != _decode(member).user.id for entry in entries)

    async def _confirm(self) -> None:
        while True:
            await asyncio.sleep(CONFIRM_SECONDS)
            leaving, self.leaving = self.leaving, []
            for group, member in leaving:
                if await self.leave(group, member):
                    await announce(group, _decode(member).user, "leave")
            for group, members in list(self.own.items()):
                try:
                    await self.change(group, CONFIRM, *members.values())
                    await self._bury(group)
                except Exception as error:
                    logger.warning("could not confirm who is in %s: %r", group, error)

    async def _bury(self, group: str) -> None:
        lost = await self._run(BURY, group)
        there = {entry.user.id for entry in await self.change(group, LOOK)} if lost else ()
        for user in {entry.user.id: entry.user for entry in lost}.values():
            if user.id not in there:
                await announce(group, user, "leave")


_registries: WeakKeyDictionary[asyncio.AbstractEventLoop, _Registry] = WeakKeyDictionary()


def _registry() -> _Registry:
    loop = asyncio.get_running_loop()
    if loop not in _registries:
        _registries[loop] = _Registry()
    return _registries[loop]


async def enter(group: str, socket_id: str, user: UserInfo) -> bool:
    """Note that a user's socket is in a group; True if it is that user's first one there."""
    registry = _registry()
    member = _encode(_Entry(socket_id, user))
    registry.own.setdefault(group, {})[socket_id] = member
    entries = await registry.change(group, ENTER, member)
    return all(entry.user.id != user.id or entry.socket_id == socket_id for entry in entries)


async def leave(group: str, socket_id: str, user: UserInfo) -> bool:
    """Undo `enter`; True if it was that user's last socket there."""
    registry = _registry()
    own = registry.own.get(group, {})
    member = own.pop(socket_id, None)
    if member is None:
        return False
    if not own:
        del registry.own[group]
    return await registry.leave(group, member)


async def present(group: str) -> list[UserInfo]:
    """Who is in a group, each user once."""
    entries = await _registry().change(group, LOOK)
    return list({entry.user.id: entry.user for entry in entries}.values())


async def is_present(group: str, user_id: int) -> bool:
    """Whether a user is in a group; raises ConnectionError if Redis is away."""
    return any(user.id == user_id for user in await present(group))


async def announce(group: str, user: UserInfo, event: str) -> None:
    """Tell the others that a user came or left: "join" or "leave".

    Another process may have announced the opposite meanwhile, in whatever order it arrives; so whoever was
    last to announce looks whether it is still so.
    """
    while True:
        await apublish(group, Presence(event=event, user=user), exclude=user.id)
        try:
            now = "join" if await is_present(group, user.id) else "leave"
        except ConnectionError:  # then everybody comes back, and is told anew
            return
        if now == event:
            return
        event = now
