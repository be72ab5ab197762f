"""What a user may send over all sockets; they are all in this process."""

from django.conf import settings

from realtime.rates import Bucket

MOST = 10_000  # users to remember; the one that was new first is forgotten, and then has all again

_buckets: dict[int | str, Bucket] = {}


async def draw(owner: int | str) -> bool:
    """Count a frame of a user, or of a guest's address; False when it is over a limit."""
    bucket = _buckets.get(owner)
    if bucket is None:
        if len(_buckets) >= MOST:
            del _buckets[next(iter(_buckets))]
        bucket = _buckets[owner] = Bucket(settings.REALTIME["USER_RATE"])
    return bucket.take()


def forget(owner: int | str) -> None:
    """They have no socket here any more; who comes back at once has no more than before."""
