"""Presence: who is in a group, across all processes. All guests count as one user, without an id.

A group is a sorted set in Redis: a member is a socket and its user, the score is when it was last seen, by
the clock of Redis. Each process confirms its own sockets every `CONFIRM_SECONDS`. Those of a process that
died are found by the others, which then say that the user left.
"""

import asyncio
import logging
from contextvars import Context
from typing import Literal

import msgspec
from channels.layers import get_channel_layer

from realtime.frames import UserInfo
from realtime.loops import per_loop
from realtime.redis import ask, get_redis
from rooms.audience import Full, parts, tell

logger = logging.getLogger("realtime")

CONFIRM_SECONDS = 15
LOST_SECONDS = 45

# Scripts for Redis. KEYS[1] is the set, ARGV[1] is LOST_SECONDS; a member is "<socket> <user id> <user>".
CLOCK = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
"""
# Redis counts: when a room fills up at once, each of its sockets would fetch all others.
SOCKETS = """
redis.call('EXPIRE', KEYS[1], 2 * ARGV[1])
local sockets = 0
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[1], '+inf')) do
    if string.match(member, ' (%S+)') == ARGV[2] then sockets = sockets + 1 end
end
return sockets
"""
# With the user's id and a member; they return how many sockets that user has there afterwards. To enter also
# with the number of users that there may be, 0 for any; 0 sockets say that there are as many others already.
ENTER = (
    CLOCK
    + """
if ARGV[4] ~= '0' then
    local others, known = 0, {[ARGV[2]] = true}
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[1], '+inf')) do
        local id = string.match(member, ' (%S+)')
        if not known[id] then others = others + 1 end
        known[id] = true
    end
    if others >= tonumber(ARGV[4]) then return 0 end
end
redis.call('ZADD', KEYS[1], now, ARGV[3])
"""
    + SOCKETS
)
LEAVE = CLOCK + "redis.call('ZREM', KEYS[1], ARGV[3])" + SOCKETS
COUNT = CLOCK + SOCKETS
# With any number of members; those that have just left stay away.
CONFIRM = (
    CLOCK
    + """
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', now, ARGV[i]) end
redis.call('EXPIRE', KEYS[1], 2 * ARGV[1])
"""
)
# Returns one member for each user.
LOOK = (
    CLOCK
    + """
local users, known = {}, {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[1], '+inf')) do
    local id = string.match(member, ' (%S+)')
    if not known[id] then table.insert(users, member) end
    known[id] = true
end
return users
"""
)
# Removes those that were not confirmed in time, and returns them: only one process is told of each.
BURY = """
local before = redis.call('TIME')[1] - ARGV[1]
local lost = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. before)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. before)
return lost
"""

_decode = msgspec.json.Decoder(UserInfo).decode


async def _run(script: str, group: str, *arguments: bytes | str):
    key = f"{get_channel_layer().prefix}.presence.{group}"
    return await ask(get_redis().eval, script, 1, key, LOST_SECONDS, *arguments)


async def _users(script: str, group: str) -> list[UserInfo]:
    users = [_decode(member.split(b" ", 2)[2]) for member in await _run(script, group)]
    return list({user.id: user for user in users}.values())


class _Registry:
    """The entries of the sockets on one event loop, which it confirms."""

    def __init__(self):
        self.own: dict[str, dict[str, bytes]] = {}  # by group, then by socket
        self.leaving: list[tuple[str, UserInfo, bytes]] = []  # who left while Redis was away
        self.confirming = asyncio.create_task(self._confirm(), context=Context())  # not the first socket's

    async def leave(self, group: str, user: UserInfo, member: bytes) -> bool:
        """Remove a member; say whether it was its user's last one. If Redis is away, that is done later."""
        try:
            return not await _run(LEAVE, group, str(user.id), member)
        except ConnectionError:
            self.leaving.append((group, user, member))
            return False

    async def _confirm(self) -> None:
        while True:
            await asyncio.sleep(CONFIRM_SECONDS)
            leaving, self.leaving = self.leaving, []
            for group, user, member in leaving:
                if await self.leave(group, user, member):
                    await announce(group, user, "leave")
            for group, members in list(self.own.items()):
                try:
                    await _run(CONFIRM, group, *members.values())
                    for each in (group, *parts(group)):  # of those in the call, or waiting, all may be lost
                        await self._bury(each)
                except Exception as error:
                    logger.warning("could not confirm who is in %s: %r", group, error)

    async def _bury(self, group: str) -> None:
        for user in await _users(BURY, group):
            if not await is_present(group, user.id):
                await announce(group, user, "leave")


_registry = per_loop(_Registry)


async def enter(group: str, socket_id: str, user: UserInfo, limit: int = 0) -> bool:
    """Note that a user's socket is in a group; True if it is that user's first one there.

    Raises `Full` if that would make more users than a limit, if there is one, and ConnectionError if Redis is
    away.
    """
    member = f"{socket_id} {user.id} ".encode() + msgspec.json.encode(user)
    _registry().own.setdefault(group, {})[socket_id] = member
    sockets = await _run(ENTER, group, str(user.id), member, str(limit))
    if not sockets:
        await leave(group, socket_id, user)
        raise Full
    return sockets == 1


async def leave(group: str, socket_id: str, user: UserInfo) -> bool:
    """Undo `enter`; True if it was that user's last socket there."""
    registry = _registry()
    own = registry.own.get(group, {})
    member = own.pop(socket_id, None)
    if member is None:
        return False
    if not own:
        del registry.own[group]
    return await registry.leave(group, user, member)


async def present(group: str) -> list[UserInfo]:
    """Who is in a group, each user once."""
    return await _users(LOOK, group)


async def is_present(group: str, user_id: int | None) -> bool:
    """Whether a user is in a group; raises ConnectionError if Redis is away."""
    return await _run(COUNT, group, str(user_id)) > 0


async def announce(group: str, user: UserInfo, event: Literal["join", "leave"]) -> None:
    """Tell the others that a user came or left.

    Another process may have announced the opposite meanwhile, in whatever order it arrives; so whoever was
    last to announce looks whether it is still so.
    """
    while True:
        await tell(group, user, event)
        try:
            now: Literal["join", "leave"] = "join" if await is_present(group, user.id) else "leave"
        except ConnectionError:  # then everybody comes back, and is told anew
            return
        if now == event:
            return
        event = now
