"""What a user may send over all sockets in all processes; Redis counts it."""

import time

from django.conf import settings

from realtime.rates import Rate
from realtime.redis import ask, get_redis

_drawn: dict[int | str, int] = {}  # of a user's allowance, what this process may still spend


async def draw(owner: int | str) -> bool:
    """Count a frame of a user, or of a guest's address; False when it is over a limit.

    While Redis is away none is.
    """
    if not _drawn.get(owner):
        rates = settings.REALTIME["USER_RATE"]
        # Asking Redis takes longer than most frames do, so it is asked for several at once.
        portion = max(1, min(10, *(rate.amount // 20 for rate in rates)))
        try:
            counts = await ask(_count, owner, portion, rates)
        except ConnectionError:  # which health says; the limit of each socket holds all the same
            return True
        if any(count > rate.amount for count, rate in zip(counts, rates, strict=True)):
            return False
        _drawn[owner] = _drawn.get(owner, 0) + portion
    _drawn[owner] -= 1
    return True


def forget(owner: int | str) -> None:
    """They have no socket here any more."""
    _drawn.pop(owner, None)


async def _count(owner: int | str, portion: int, rates: list[Rate]) -> list[int]:
    """Add to the counters of the present second, minute..., which Redis forgets when they are over."""
    prefix, now = settings.CACHES["default"]["KEY_PREFIX"], int(time.time())
    async with get_redis().pipeline(transaction=False) as pipeline:
        for rate in rates:
            key = f"{prefix}.sent.{owner}.{rate.seconds}.{now // rate.seconds}"
            pipeline.incrby(key, portion)
            pipeline.expire(key, rate.seconds)
        return (await pipeline.execute())[::2]
