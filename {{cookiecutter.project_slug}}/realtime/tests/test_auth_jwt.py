"""Tokens as proof."""

import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.test import AsyncClient
from rest_framework_simplejwt.tokens import AccessToken

from realtime import expiry
from realtime.codes import NOT_AUTHENTICATED
from realtime.tests.test_auth import PATH, TICKET, change_password, deactivate


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


async def test_a_page_of_another_site_needs_a_token(connect, student, monkeypatch):
    page, bearer = "https://app.example.net", ["bearer", token(student)]
    assert not (await connect(PATH, origin=page, subprotocols=bearer)).accepted
    monkeypatch.setitem(settings.REALTIME, "TOKEN_ORIGINS", [page])
    assert (await connect(PATH, origin=page, subprotocols=bearer)).hello
    assert (await connect(await ticket_of(token(student)), origin=page)).hello
    assert (await connect(PATH, origin=page)).code == NOT_AUTHENTICATED
    assert not (await connect(PATH, origin="https://other.example.net", subprotocols=bearer)).accepted


@pytest.mark.parametrize("bad", ["", "a.b.c", "expired"])
async def test_a_bad_token_is_refused(connect, student, bad):
    bad = token(student, seconds=-1) if bad == "expired" else bad
    for path in (PATH, "/ws/guests/"):
        assert (await connect(path, subprotocols=["bearer", bad])).code == NOT_AUTHENTICATED


async def test_a_plain_consumer_has_the_user_of_a_token_and_an_empty_session(connect, student):
    socket = await connect("/ws/plain/1/", subprotocols=["bearer", token(student)])
    assert socket.subprotocol == "bearer"
    await socket.send("who")
    answer = await socket.receive("who")
    assert (answer["user"], answer["seen"]) == ("student", None)


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_token_in_the_address_counts_only_if_so_set(connect, student, monkeypatch, allowed):
    monkeypatch.setitem(settings.REALTIME, "TOKEN_IN_QUERY", allowed)
    socket = await connect(f"{PATH}?token={token(student)}", origin=None)
    assert socket.code == (None if allowed else NOT_AUTHENTICATED)
    empty = await connect("/ws/guests/?token=", origin=None)
    assert empty.code == (NOT_AUTHENTICATED if allowed else None)


@pytest.mark.parametrize("end", [change_password, deactivate])
async def test_a_ticket_ends_with_its_token(connect, student, end):
    good, bad = [await ticket_of(token(student)) for _ in range(2)]
    socket = await connect(good, origin=None)
    assert socket.hello
    await end(student, None)
    assert (await connect(bad, origin=None)).code == NOT_AUTHENTICATED


async def ticket_of(token) -> str:
    answer = await AsyncClient().post(TICKET, headers={"authorization": f"Bearer {token}"})
    return f"{PATH}?ticket={answer.json()['ticket']}"


async def test_a_token_is_renewed_while_connected(connect, student, mentor, monkeypatch):
    socket = await connect(PATH, subprotocols=["bearer", token(student, seconds=25)])
    assert 20 <= (await socket.receive("token_expiring"))["in"] <= 25
    for bad in ("nonsense", token(mentor)):
        await socket.send("auth.refresh", token=bad)
        assert (await socket.receive("error"))["code"] == "not_allowed"
    assert (await socket.request("auth.refresh", token=token(student)))["ok"]
    almost = SimpleNamespace(time=lambda: time.time() + 25)  # when a token of 25 seconds is over
    monkeypatch.setattr(expiry, "time", almost)
    assert (await socket.request("auth.refresh", token=token(student, seconds=25)))["ok"]
    assert await socket.close_code() == NOT_AUTHENTICATED
