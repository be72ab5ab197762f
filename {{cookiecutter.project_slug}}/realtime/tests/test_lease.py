import pytest

from realtime import lease
from realtime.cache import cache


@pytest.fixture(autouse=True)
def free():
    cache.delete("lease")


def test_one_has_it_until_it_is_given_back():
    assert lease.acquire("lease", "one", 60)
    assert not lease.acquire("lease", "other", 60)
    assert (lease.renew("lease", "one", 60), lease.renew("lease", "other", 60)) == (True, False)
    lease.release("lease", "other")
    assert lease.holds("lease", "one")
    lease.release("lease", "one")
    assert lease.acquire("lease", "other", 60)
    assert not lease.renew("lease", "one", 60)


def test_it_ends_by_itself():
    assert lease.acquire("lease", "one", 60)
    assert lease.renew("lease", "one", 0)  # no second more
    assert lease.acquire("lease", "other", 60)
