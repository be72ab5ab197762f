"""A lease: of all processes one does something, until it gives the lease back, or no longer renews it.

It is kept in the cache, so these functions block.
"""

from realtime.cache import cache


def acquire(name: str, owner: str, seconds: float) -> bool:
    """Take a lease, if nobody has it."""
    return bool(cache.add(name, owner, seconds))


def renew(name: str, owner: str, seconds: float) -> bool:
    """Keep a lease for so many seconds more; False if this owner does not have it."""
    return holds(name, owner) and bool(cache.touch(name, seconds))


def holds(name: str, owner: str) -> bool:
    return cache.get(name) == owner


def release(name: str, owner: str) -> None:
    """Leave a lease to others."""
    if holds(name, owner):
        cache.delete(name)
