"""Who may open a socket, and until when."""

import time
from datetime import timedelta
#% if cookiecutter.auth != "session"
from types import SimpleNamespace
#% endif
#%%
#% if cookiecutter.auth != "session"
import pytest
from django.conf import settings
#% endif
from django.contrib.sessions.models import Session
from django.test import AsyncClient, Client
from django.utils import timezone
#% if cookiecutter.auth != "session"
from rest_framework_simplejwt.tokens import AccessToken
#% endif
#%%
#% if cookiecutter.auth != "session"
from realtime import consumer
#% endif
from realtime.codes import NOT_AUTHENTICATED
from realtime.credentials import session_ends
from realtime.tickets import issue

PATH = "/ws/sample/"
TICKET = "/api/ws-ticket/"


async def test_a_user_is_let_in(connect, student):
    assert (await connect(PATH, student)).hello


async def test_nobody_is_told_to_log_in(connect):
    socket = await connect(PATH)
    assert socket.accepted  # else a browser would not see the code
    assert socket.code == NOT_AUTHENTICATED


async def test_an_inactive_user_is_not_let_in(connect, student):
    student.is_active = False
    await student.asave()
    assert (await connect(PATH, student)).code == NOT_AUTHENTICATED


async def test_a_foreign_page_is_refused_in_the_handshake(connect, student):
    assert not (await connect(PATH, student, origin="https://evil.example")).accepted
#% if cookiecutter.auth != "jwt"
#%%

async def test_a_cookie_counts_only_with_an_origin(connect, student):
    assert (await connect(PATH, student, origin=None)).code == NOT_AUTHENTICATED
#% endif
#%%

async def test_a_ticket_opens_one_socket(connect, student):
    client = AsyncClient()
    await client.aforce_login(student)
    path = f"{PATH}?ticket={(await client.post(TICKET)).json()['ticket']}"
    assert (await connect(path, origin=None)).hello
    assert (await connect(path, origin=None)).code == NOT_AUTHENTICATED


def test_a_ticket_needs_a_login_and_a_csrf_token(client, student):
    assert client.post(TICKET).status_code in (401, 403)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(student)
    assert strict.post(TICKET).status_code == 403


def test_a_session_ends_when_its_row_says_so(client, student):
    client.force_login(student)
    soon = timezone.now() + timedelta(seconds=5)
    Session.objects.update(expire_date=soon)
    assert session_ends(client.session) == soon.timestamp()


async def test_a_socket_closes_when_the_login_ends(connect, student):
    socket = await connect(f"{PATH}?ticket={issue(student.pk, time.time() + 0.1)}")
    assert await socket.close_code() == NOT_AUTHENTICATED
#% if cookiecutter.auth != "session"
#%%

def token(user, **lifetime) -> str:
    token = AccessToken.for_user(user)
    if lifetime:
        token.set_exp(lifetime=timedelta(**lifetime))
    return str(token)


async def test_a_token_needs_no_origin_and_is_not_echoed(connect, student):
    socket = await connect(PATH, origin=None, subprotocols=["bearer", token(student)])
    assert socket.subprotocol == "bearer"
    assert (await socket.request("ping"))["ok"]
    header = (b"authorization", f"Bearer {token(student)}".encode())
    assert (await connect(PATH, origin=None, headers=[header])).hello


@pytest.mark.parametrize("bad", ["", "a.b.c", "expired"])
async def test_a_bad_token_is_refused(connect, student, bad):
    bad = token(student, seconds=-1) if bad == "expired" else bad
    assert (await connect(PATH, subprotocols=["bearer", bad])).code == NOT_AUTHENTICATED


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_token_in_the_address_counts_only_if_so_set(connect, student, monkeypatch, allowed):
    monkeypatch.setitem(settings.REALTIME, "TOKEN_IN_QUERY", allowed)
    socket = await connect(f"{PATH}?token={token(student)}", origin=None)
    assert socket.code == (None if allowed else NOT_AUTHENTICATED)


async def test_a_token_is_renewed_while_connected(connect, student, mentor, monkeypatch):
    socket = await connect(PATH, subprotocols=["bearer", token(student, seconds=25)])
    assert 20 <= (await socket.receive("token_expiring"))["in"] <= 25
    for bad in ("nonsense", token(mentor)):
        await socket.send("auth.refresh", token=bad)
        assert (await socket.receive("error"))["code"] == "not_allowed"
    assert (await socket.request("auth.refresh", token=token(student)))["ok"]
    almost = SimpleNamespace(time=lambda: time.time() + 25)  # when a token of 25 seconds is over
    monkeypatch.setattr(consumer, "time", almost)
    assert (await socket.request("auth.refresh", token=token(student, seconds=25)))["ok"]
    assert await socket.close_code() == NOT_AUTHENTICATED
#% endif
