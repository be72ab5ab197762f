"""Standings: who is where, by a sorted set in Redis, which counts those above somebody in no time.

The database is the truth and this its projection, which may lag for a moment but does not drift:

- A row's version grows under its lock. After the commit the value goes here with its version, and one that is
  older than what is here is ignored: whatever the order in which two processes arrive, the last one stays.
- What did not arrive, since its process died or Redis was away, `catch_up` finds: it reads the rows that
  changed after the newest one it had seen, and a minute before, for transactions that were open then. How far
  it got is kept here too, so a Redis that is restored from yesterday is caught up from yesterday.
- Without that mark, or when the keys do not fit each other, the projection is not used but made anew; until
  then the database answers by itself, as it does while Redis is away.
"""

import time
from datetime import datetime, timedelta
from functools import cache
from itertools import batched, chain
from uuid import uuid4

from django.conf import settings
from django.db.models import Max
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from leaderboard.models import Score

TIMEOUT = 1  # seconds for an answer
PAUSE = 1  # seconds in which a Redis that did not answer is not asked again
OVERLAP = timedelta(minutes=1)  # that a transaction may take
BUILD_SECONDS = 10  # after which one that catches up and says nothing is taken for dead
NUDGE_SECONDS = 1  # after which the publisher is told again, if it has not read yet
BATCH = 1000  # scores that are sent at a time

KEYS = ("points", "versions", "mark", "builder", "changes", "nudged")

# Scripts for Redis; KEYS are those above.
# With the token of who catches up, or "", then a user, a version and points each. Returns -1 if another one
# catches up, else whether the publisher has yet to be told.
RECORD = """
if ARGV[1] ~= '' then
    if redis.call('GET', KEYS[4]) ~= ARGV[1] then return -1 end
    redis.call('EXPIRE', KEYS[4], ARGV[2])
end
local changed = false
for i = 3, #ARGV, 3 do
    local version = redis.call('HGET', KEYS[2], ARGV[i])
    if not version or tonumber(version) < tonumber(ARGV[i + 1]) then
        redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
        redis.call('ZADD', KEYS[1], ARGV[i + 2], ARGV[i])
        changed = true
    end
end
if not changed then return 0 end
redis.call('INCR', KEYS[5])
return redis.call('SET', KEYS[6], 1, 'NX', 'EX', ARGV[2]) and 1 or 0
"""
FORGET = """
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('INCR', KEYS[5])
"""
INTACT = """
local intact = redis.call('GET', KEYS[3])
if redis.call('ZCARD', KEYS[1]) ~= redis.call('HLEN', KEYS[2]) then intact = false end
"""
# With a number. What changes from here on is told to the publisher again.
BEST = (
    INTACT
    + """
redis.call('DEL', KEYS[6])
return intact and redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1, 'REV', 'WITHSCORES')
"""
)
# With a user.
FIND = (
    INTACT
    + """
if not intact then return false end
local points = redis.call('ZSCORE', KEYS[1], ARGV[1])
return points and {points, redis.call('ZCOUNT', KEYS[1], '(' .. points, '+inf')} or {}
"""
)
MARK = INTACT + "return intact"
# With a token, seconds, and whether all is made anew. Returns how far the projection is; false: not at all.
BEGIN = (
    INTACT
    + """
if ARGV[3] == '' and redis.call('EXISTS', KEYS[4]) == 1 then return -1 end
redis.call('SET', KEYS[4], ARGV[1], 'EX', ARGV[2])
if intact and ARGV[3] == '' then return intact end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
return false
"""
)
# With a token, and how far the projection is.
END = """
if redis.call('GET', KEYS[4]) ~= ARGV[1] then return end
redis.call('SET', KEYS[3], ARGV[2])
redis.call('DEL', KEYS[4])
redis.call('INCR', KEYS[5])
"""


def best(number: int) -> list[tuple[int, float]]:
    """Return (user id, points) of so many users with the most points."""
    try:
        found = _run(BEST, number)
    except ConnectionError:
        found = None
    if found is None:
        return Score.objects.best(number)
    return [(int(user_id), float(points)) for user_id, points in batched(found, 2)]


def find(user_id: int) -> tuple[int, float] | None:
    """Return (rank, points) of a user, or None."""
    try:
        found = _run(FIND, user_id)
    except ConnectionError:
        found = None
    if found is None:
        return Score.objects.standing(user_id)
    return (int(found[1]) + 1, float(found[0])) if found else None


def record(rows: list[tuple[int, int, float]]) -> bool:
    """Note (user id, version, points) that are stored; True if the publisher has yet to hear of a change.

    Raises ConnectionError while Redis is away; `catch_up` makes up for it.
    """
    return _run(RECORD, "", NUDGE_SECONDS, *chain.from_iterable(rows)) == 1


def forget(user_id: int) -> None:
    """Note that a score is deleted; raises ConnectionError while Redis is away.

    One that is written at this very moment may stay. The table does not show it, since it has no user; it is
    counted in the ranks below it until the projection is made anew.
    """
    _run(FORGET, user_id)


def changes() -> int:
    """A number that another one follows whenever something has changed."""
    return int(_call(lambda redis: redis.get(_keys()[4])) or 0)


def is_behind() -> bool:
    """Whether something is amiss that `catch_up` mends."""
    return _run(MARK) is None


def catch_up(anew: bool = False) -> int:
    """Note what has changed in the database, or all that is there; return how many scores were read.

    One at a time does so, and who makes it anew goes before; the other one's remaining scores are ignored.
    Raises ConnectionError while Redis is away.
    """
    token = uuid4().hex
    mark = _run(BEGIN, token, BUILD_SECONDS, "anew" if anew else "")
    if mark == -1:
        return 0
    newest = Score.objects.aggregate(newest=Max("updated_at"))["newest"]
    rows = Score.objects.values_list("user_id", "version", "points")
    if mark:
        rows = rows.filter(updated_at__gte=datetime.fromisoformat(mark) - OVERLAP)
    number = 0
    for batch in batched(rows.iterator(BATCH), BATCH):
        if _run(RECORD, token, BUILD_SECONDS, *chain.from_iterable(batch)) == -1:
            return number
        number += len(batch)
    _run(END, token, (newest or datetime.fromtimestamp(0).astimezone()).isoformat())
    return number


# The connection

_away_until = 0.0


@cache
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 1),  # a connection that was lost raises once
    )


@cache
def _script(text: str):
    return _redis().register_script(text)


def _keys() -> list[str]:
    prefix = settings.CACHES["default"]["KEY_PREFIX"]
    return [f"{prefix}.leaderboard.{key}" for key in KEYS]


def _run(text: str, *arguments):
    return _call(lambda redis: _script(text)(keys=_keys(), args=arguments))


def _call(function):
    """Ask Redis; raises ConnectionError if it does not answer, and at once if it did not a moment ago."""
    global _away_until
    if time.monotonic() < _away_until:
        raise ConnectionError("Redis is away")
    try:
        return function(_redis())
    except (RedisError, OSError) as error:
        _away_until = time.monotonic() + PAUSE
        raise ConnectionError(f"Redis does not answer: {error!r}") from error
