"""Partials: the text so far of answers that are being written, in Redis, where each process finds it.

All raise ConnectionError if Redis is away. What is left of a process that was killed ends after an hour.
"""

from channels.layers import get_channel_layer

from realtime.redis import ask, get_redis

SECONDS = 3600

# KEYS[1] is the text; ARGV: SECONDS, how many bytes of it should be there, and those that follow.
APPEND = """
if redis.call('STRLEN', KEYS[1]) ~= tonumber(ARGV[2]) then return 0 end
redis.call('APPEND', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""


def _key(message_id: int) -> str:
    return f"{get_channel_layer().prefix}.partial.{message_id}"


async def keep(message_id: int, text: str, kept: int) -> None:
    """Keep the text so far, of which so many characters were kept already."""
    there, more = text[:kept].encode(), text[kept:].encode()
    if not await ask(get_redis().eval, APPEND, 1, _key(message_id), SECONDS, len(there), more):
        await ask(get_redis().set, _key(message_id), there + more, SECONDS)  # Redis came back empty


async def read(message_id: int) -> str:
    """Return the text so far; nothing if none is kept."""
    found = await ask(get_redis().get, _key(message_id))
    return found.decode(errors="replace") if isinstance(found, bytes) else ""


async def forget(message_id: int) -> None:
    """The text is in the database now."""
    await ask(get_redis().delete, _key(message_id))
