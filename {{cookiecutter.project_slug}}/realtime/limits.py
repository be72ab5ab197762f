"""How many frames a client may send: over each socket, and a user over all sockets in all processes."""

#% if cookiecutter.channel_layer != "memory"
import asyncio
#% endif
from itertools import count
#% if cookiecutter.channel_layer != "memory"
from weakref import WeakKeyDictionary
#% endif
#%%
from django.conf import settings
from limits import parse_many
#% if cookiecutter.channel_layer != "memory"
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter as SharedLimiter
#% endif
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
#% if cookiecutter.channel_layer != "memory"
#%%
from realtime.redis import get_redis
#% endif
#%%
RATES = parse_many(settings.REALTIME["RATE"])
USER_RATES = parse_many(settings.REALTIME["USER_RATE"])
STRIKES = 100  # frames refused, less those allowed, before the socket is closed

_limiter = FixedWindowRateLimiter(MemoryStorage())
_serial = count()


class FrameRate:
    """The allowance of one socket, for instance 50 frames in a second, and its part in that of its user."""

#% if cookiecutter.channel_layer == "memory"
    __slots__ = ("_key", "strikes")
#% else
    __slots__ = ("_key", "_user_id", "strikes")
#% endif
#%%
    def __init__(self):
        self._key = None  # most sockets never send a frame
        self.strikes = 0

    async def allow(self, user_id: int) -> bool:
        """Count a frame; False when it is over a limit."""
        if self._key is None:
            self._key = str(next(_serial))
#% if cookiecutter.channel_layer != "memory"
            self._user_id = user_id
#% endif
        # Who floods a socket is stopped here and costs the other processes nothing.
        allowed = all([_limiter.hit(rate, self._key) for rate in RATES]) and await _count_for_user(user_id)
        self.strikes = max(0, self.strikes - 1) if allowed else self.strikes + 1
        return allowed

    @property
    def exhausted(self) -> bool:
        """The client goes on sending although it was told not to."""
        return self.strikes >= STRIKES

    def forget(self) -> None:
        if self._key is not None:
            for rate in RATES:
                _limiter.clear(rate, self._key)
#% if cookiecutter.channel_layer != "memory"
            _drawn.pop(self._user_id, None)
#% endif
#% if cookiecutter.channel_layer == "memory"
#%%

async def _count_for_user(user_id: int) -> bool:
    return all([_limiter.hit(rate, "user", str(user_id)) for rate in USER_RATES])
#% else
#%%

_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, SharedLimiter] = WeakKeyDictionary()
_drawn: dict[int, int] = {}  # of a user's allowance, what this process may still spend


async def _count_for_user(user_id: int) -> bool:
    if not _drawn.get(user_id):
        # Asking Redis takes longer than most frames do, so it is asked for several at once.
        portion = max(1, min(10, *(rate.amount // 20 for rate in USER_RATES)))
        limiter = _limiter_in_redis()
        try:
            if not all([await limiter.hit(rate, str(user_id), cost=portion) for rate in USER_RATES]):
                return False
        except Exception:  # Redis is away, which health says; the limit of each socket holds all the same
            return True
        _drawn[user_id] = _drawn.get(user_id, 0) + portion
    _drawn[user_id] -= 1
    return True


def _limiter_in_redis() -> SharedLimiter:
    loop = asyncio.get_running_loop()
    if loop not in _shared:
        storage = RedisStorage(
            "async+redis://",  # not used: the pool knows the way
            implementation="redispy",
            key_prefix=f"{settings.CACHES['default']['KEY_PREFIX']}.limits",
            connection_pool=get_redis().connection_pool,
        )
        _shared[loop] = SharedLimiter(storage)
    return _shared[loop]
#% endif
