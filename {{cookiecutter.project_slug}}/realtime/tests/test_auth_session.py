"""The cookie of a session as proof."""

from realtime.codes import NOT_AUTHENTICATED


async def test_a_cookie_counts_only_with_an_origin(connect, student):
    assert (await connect("/ws/sample/", student)).hello
    assert (await connect("/ws/sample/", student, origin=None)).code == NOT_AUTHENTICATED
