"""What the tests need of Redis."""

from uuid import uuid4

import pytest
from django.conf import settings
from redis import Redis, RedisError


@pytest.fixture(scope="session", autouse=True)
def own_part_of_redis():
    """Use keys and channels apart from those of a server on the same Redis, and leave none behind."""
    if settings.USE_INMEMORY_CHANNELS:
        yield
        return
    prefix = settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] = f"test-{uuid4().hex}"
    settings.CACHES["default"]["KEY_PREFIX"] = prefix
    with Redis.from_url(settings.REDIS_URL) as redis:
        try:
            redis.ping()
        except RedisError as error:
            pytest.exit(f"The tests need Redis at REDIS_URL ({error}). `make services` starts it.", 1)
        yield
        for key in redis.scan_iter(f"{prefix}*"):
            redis.delete(key)


def pytest_ignore_collect(collection_path):
    """Leave out the tests of what memory has taken the place of."""
    return (settings.USE_INMEMORY_CHANNELS and "redis" in collection_path.stem) or None
