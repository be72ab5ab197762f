"""Guests: who comes without any proof, where a consumer admits them."""

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import AsyncClient

from realtime import revocation
from realtime.codes import NOT_AUTHENTICATED, TOO_MANY
from realtime.limits import address_of
from realtime.publish import apublish, kick
from realtime.rates import parse_rates
from realtime.tests.test_auth import PATH, log_in

GUESTS = "/ws/guests/"
NOBODY = {"id": None, "username": ""}


async def test_a_guest_is_let_in_and_greeted_before_anything_else(connect, student):
    guest, user = await connect(GUESTS, origin=None), await connect(GUESTS, student)
    assert guest.hello["user"] == NOBODY
    assert await guest.receive() == {"type": "hello", "user": NOBODY}
    assert user.hello["user"] == {"id": student.pk, "username": "student"}
    assert (await guest.request("say", text="Hi"))["length"] == 2
    assert (await user.receive("said"))["text"] == "Hi"
    await guest.send("auth.refresh", id=2, token="any")
    assert (await guest.receive("error"))["code"] == "not_allowed"


@pytest.mark.parametrize("ticket", ["", "unknown", "used"])
async def test_a_proof_that_is_not_valid_makes_no_guest(connect, student, ticket):
    path = f"{GUESTS}?ticket={ticket}"
    if ticket == "used":
        path = (await log_in(student, AsyncClient())).replace(PATH, GUESTS)
        assert (await connect(path)).hello
    assert (await connect(path)).code == NOT_AUTHENTICATED


async def test_guests_have_a_number_of_sockets_for_each_address(connect, student, monkeypatch):
    monkeypatch.setitem(settings.REALTIME, "MAX_SOCKETS_PER_ADDRESS", 2)
    for same, other in (("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8:0:1::1")):
        first, _ = [await connect(GUESTS, address=same) for _ in range(2)]
        assert (await connect(GUESTS, address=same)).code == TOO_MANY
        assert (await connect(GUESTS, address=other)).hello
        assert (await connect(GUESTS, student, address=same)).hello
        await first.disconnect()
        assert (await connect(GUESTS, address=same)).hello


async def test_guests_have_an_allowance_for_each_address(connect, student, monkeypatch):
    monkeypatch.setitem(settings.REALTIME, "USER_RATE", parse_rates("3/hour"))
    one, other = [await connect(GUESTS, address="192.0.2.3") for _ in range(2)]
    for socket in (one, other, one):
        assert (await socket.request("ping"))["ok"]
    await other.send("ping", id=5)
    assert (await other.receive("error"))["code"] == "rate_limited"
    for socket in (await connect(GUESTS, address="192.0.2.4"), await connect(GUESTS, student)):
        assert (await socket.request("ping"))["ok"]


async def test_an_event_for_or_not_for_a_user(connect, student):
    guest, user = await connect(GUESTS), await connect(GUESTS, student)
    await apublish("sample", {"type": "number", "n": 1}, to=student.pk)
    await apublish("sample", {"type": "number", "n": 2}, exclude=student.pk)
    assert (await guest.receive("number"))["n"] == 2
    assert (await user.receive("number"))["n"] == 1


async def test_whoever_is_put_out_guests_stay(connect, student, mentor, monkeypatch):
    monkeypatch.setattr(revocation, "REVIEW_SECONDS", 0.05)
    guest = await connect(GUESTS)
    kicked, reviewed = await connect(GUESTS, student), await connect(GUESTS, mentor)
    await sync_to_async(kick)(student.pk, "Log in again")
    await type(mentor).objects.filter(pk=mentor.pk).aupdate(is_active=False)
    for socket in (kicked, reviewed):
        assert await socket.close_code() == NOT_AUTHENTICATED
    assert (await guest.request("ping"))["ok"]


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("192.0.2.1", 80), "192.0.2.1"),
        (("::ffff:192.0.2.1", 80), "192.0.2.1"),
        (("2001:db8:1:2:3::4", 80), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 0), "fe80::/64"),
        (("::1", 80), "::/64"),
        (("", 0), ""),
        (None, "unknown"),
    ],
)
def test_an_address(client, address):
    assert address_of({"client": client}) == address
