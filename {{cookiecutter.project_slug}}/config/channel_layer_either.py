"""The channel layer and the cache: both in Redis, or without one in the memory of the process that serves."""

from config.environment import env, read


def alone(in_memory):
    """Refuse a second process, which could not hear of what happens in the first one."""
    if in_memory and env.str("WEB_CONCURRENCY", "1") != "1":
        raise ValueError("WEB_CONCURRENCY")


USE_INMEMORY_CHANNELS = read(
    env.bool,
    "USE_INMEMORY_CHANNELS",
    "true or false, and only false with WEB_CONCURRENCY over 1: memory reaches the sockets of one process",
    default=False,
    validate=alone,
)
if USE_INMEMORY_CHANNELS:
    from config.channel_layer_memory import *
else:
    from config.channel_layer_redis import *
