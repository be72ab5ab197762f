"""What a user may send over all sockets in all processes; Redis counts it."""

import time

from django.conf import settings

from realtime.redis import ask, get_redis

USER_RATES = settings.REALTIME["USER_RATE"]

_drawn: dict[int, int] = {}  # of a user's allowance, what this process may still spend


async def draw(user_id: int) -> bool:
    """Count a frame of a user; False when it is over a limit. While Redis is away none is."""
    if not _drawn.get(user_id):
        # Asking Redis takes longer than most frames do, so it is asked for several at once.
        portion = max(1, min(10, *(rate.amount // 20 for rate in USER_RATES)))
        try:
            counts = await ask(_count, user_id, portion)
        except ConnectionError:  # which health says; the limit of each socket holds all the same
            return True
        if any(count > rate.amount for count, rate in zip(counts, USER_RATES, strict=True)):
            return False
        _drawn[user_id] = _drawn.get(user_id, 0) + portion
    _drawn[user_id] -= 1
    return True


def forget(user_id: int) -> None:
    """The user has no socket here any more."""
    _drawn.pop(user_id, None)


async def _count(user_id: int, portion: int) -> list[int]:
    """Add to the counters of the present second, minute..., which Redis forgets when they are over."""
    prefix, now = settings.CACHES["default"]["KEY_PREFIX"], int(time.time())
    async with get_redis().pipeline(transaction=False) as pipeline:
        for rate in USER_RATES:
            key = f"{prefix}.sent.{user_id}.{rate.seconds}.{now // rate.seconds}"
            pipeline.incrby(key, portion)
            pipeline.expire(key, rate.seconds)
        return (await pipeline.execute())[::2]
