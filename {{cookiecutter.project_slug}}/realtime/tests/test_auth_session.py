"""The cookie of a session as proof."""

import pytest
from django.conf import settings

from realtime.auth_session import SessionStore
from realtime.codes import NOT_AUTHENTICATED


async def test_a_cookie_counts_only_with_an_origin(connect, student):
    assert (await connect("/ws/sample/", student)).hello
    assert (await connect("/ws/sample/", student, origin=None)).code == NOT_AUTHENTICATED


@pytest.mark.parametrize("known", [True, False])
async def test_who_is_not_logged_in_is_a_guest_with_their_session(connect, known):
    session = SessionStore()
    await session.aset("seen", 1)
    await session.asave()
    key = session.session_key if known else "unknown-0123456789"
    headers = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={key}".encode())]
    assert (await connect("/ws/guests/", headers=headers)).hello["user"]["id"] is None
    assert (await connect("/ws/sample/", headers=headers)).code == NOT_AUTHENTICATED
    plain = await connect("/ws/plain/1/", headers=headers)
    await plain.send("who")
    answer = await plain.receive("who")
    assert (answer["user"], answer["seen"]) == ("", 1 if known else None)


async def test_a_cookie_does_not_count_on_a_page_of_another_site(connect, student, monkeypatch):
    page = "https://app.example.net"
    monkeypatch.setitem(settings.REALTIME, "TOKEN_ORIGINS", [page])
    assert (await connect("/ws/sample/", student, origin=page)).code == NOT_AUTHENTICATED
