"""Presence: who is in a group, across all processes.

A group is a sorted set in Redis: a member is a socket and its user, the score is when it was last seen.
Each process confirms its own sockets every `CONFIRM_SECONDS`. Those of a process that died are found by
the others, which then say that the user left.
"""

import asyncio
import logging
import time
from weakref import WeakKeyDictionary

import msgspec
from channels.layers import get_channel_layer

from realtime.frames import Presence, UserInfo
from realtime.publish import apublish
from realtime.redis import get_redis

logger = logging.getLogger("realtime")

CONFIRM_SECONDS = 15
LOST_SECONDS = 45


class _Entry(msgspec.Struct, array_like=True):
    socket_id: str
    user: UserInfo


_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(_Entry).decode


class _Registry:
    """The entries of the sockets on one event loop, which it keeps alive."""

    def __init__(self):
        self.redis = get_redis()
        self.own: dict[str, set[bytes]] = {}
        self.confirming = asyncio.create_task(self._confirm())

    async def change(self, group: str, *commands: tuple) -> list[_Entry]:
        """Apply commands to a group's set and return who is in it, in one transaction."""
        key = _key(group)
        async with self.redis.pipeline(transaction=True) as pipeline:
            for name, *arguments in commands:
                getattr(pipeline, name)(key, *arguments)
            pipeline.expire(key, 2 * LOST_SECONDS)
            pipeline.zrangebyscore(key, time.time() - LOST_SECONDS, "+inf")
            return [_decode(raw) for raw in (await pipeline.execute())[-1]]

    async def _confirm(self) -> None:
        while True:
            await asyncio.sleep(CONFIRM_SECONDS)
            for group, members in list(self.own.items()):
                try:
                    await self.change(group, ("zadd", dict.fromkeys(members, time.time())))
                    await self._bury(group)
                except Exception as error:
                    logger.warning("could not confirm who is in %s: %r", group, error)

    async def _bury(self, group: str) -> None:
        key = _key(group)
        for raw in await self.redis.zrangebyscore(key, "-inf", time.time() - LOST_SECONDS):
            if await self.redis.zrem(key, raw):  # only one process gets to say it
                user = _decode(raw).user
                if all(other.id != user.id for other in await present(group)):
                    await apublish(group, Presence(event="leave", user=user))


def _key(group: str) -> str:
    return f"{get_channel_layer().prefix}.presence.{group}"


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
    registry.own.setdefault(group, set()).add(member)
    entries = await registry.change(group, ("zadd", {member: time.time()}))
    return all(entry.user.id != user.id or entry.socket_id == socket_id for entry in entries)


async def leave(group: str, socket_id: str, user: UserInfo) -> bool:
    """Undo `enter`; True if it was that user's last socket there."""
    registry = _registry()
    member = _encode(_Entry(socket_id, user))
    own = registry.own.get(group, set())
    if member not in own:
        return False
    own.remove(member)
    if not own:
        del registry.own[group]
    entries = await registry.change(group, ("zrem", member))
    return all(entry.user.id != user.id for entry in entries)


async def present(group: str) -> list[UserInfo]:
    """Who is in a group, each user once."""
    entries = await _registry().change(group)
    return list({entry.user.id: entry.user for entry in entries}.values())
