"""The cookie of a session as proof."""

from django.conf import settings

from realtime.codes import NOT_AUTHENTICATED


async def test_a_cookie_counts_only_with_an_origin(connect, student):
    assert (await connect("/ws/sample/", student)).hello
    assert (await connect("/ws/sample/", student, origin=None)).code == NOT_AUTHENTICATED


async def test_a_cookie_does_not_count_on_a_page_of_another_site(connect, student, monkeypatch):
    page = "https://app.example.net"
    monkeypatch.setitem(settings.REALTIME, "TOKEN_ORIGINS", [page])
    assert (await connect("/ws/sample/", student, origin=page)).code == NOT_AUTHENTICATED
