"""Whoever fails to log in too often waits, and locks out nobody else."""

from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth import aauthenticate
from django.contrib.auth.tokens import default_token_generator
from django.test import AsyncClient, Client
from django.utils.http import urlsafe_base64_encode

from accounts import throttle
from accounts.models import User
from accounts.test_pages import ask_for_a_link

LOGIN = "/accounts/login/"
SHIPPED = settings.THROTTLE
WRONG = "a wrong one"
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def limits(settings, monkeypatch, student):
    """Low limits, counts and a clock of the test's own."""
    settings.THROTTLE = {
        "failed_by_address": (4, 300),
        "failed_by_address_at_account": (2, 900),
        "failed_at_account": (5, 3600),
        "sign_up_by_address": (2, 3600),
        "reset_by_address": (3, 3600),
        "reset_to_address": (2, 3600),
    }
    settings.SIGN_UP = True
    clock = SimpleNamespace(now=1_000_000.0, monotonic=lambda: 0.0)
    clock.time = lambda: clock.now
    monkeypatch.setattr(throttle, "time", clock)
    monkeypatch.setattr(throttle, "away_until", 0.0)
    monkeypatch.setattr(throttle, "PREFIX", uuid4().hex)
    return clock


def log_in(username="student", password=WRONG, address=HERE, path=LOGIN, **fields):
    """Return how an attempt to log in ends."""
    answer = Client(REMOTE_ADDR=address).post(path, {"username": username, "password": password, **fields})
    return answer.status_code


def test_an_address_that_fails_has_to_wait(limits):
    names = ["student", "nobody", "@", "nobody", "student"]
    assert [log_in(name) for name in names] == [200, 200, 200, 200, 429]
    assert log_in(password="a-secret") == 429
    assert log_in(password="a-secret", address=ELSEWHERE) == 302
    answer = Client(REMOTE_ADDR=HERE).post(LOGIN, {"username": "student", "password": "a-secret"})
    assert int(answer["Retry-After"]) == 300 - 1_000_000 % 300
    assert "Please wait 4 minutes" in answer.text
    limits.now += int(answer["Retry-After"])
    assert log_in(password="a-secret") == 302


def test_it_waits_longer_to_guess_at_one_account(limits):
    assert [log_in() for _ in range(3)] == [200, 200, 429]
    assert log_in("mentor") == 200
    limits.now += 300
    assert log_in(password="a-secret") == 429
    limits.now += 600
    assert log_in(password="a-secret") == 302


def test_one_address_cannot_lock_an_account():
    (pair, window), (account, hour) = (
        SHIPPED["failed_by_address_at_account"],
        SHIPPED["failed_at_account"],
    )
    assert pair * hour / window < account
    assert hour % window == 0


def test_a_new_password_by_mail_lets_its_owner_in(student):
    assert [log_in() for _ in range(3)] == [200, 200, 429]
    owner = Client(REMOTE_ADDR=HERE)
    uid, token = urlsafe_base64_encode(str(student.pk).encode()), default_token_generator.make_token(student)
    form = owner.get(f"/accounts/reset/{uid}/{token}/").url
    new = "another-secret-1"
    assert owner.post(form, {"new_password1": new, "new_password2": new}).status_code == 302
    assert log_in(password=new) == 302


def test_logins_that_succeed_are_not_counted():
    assert {log_in(password="a-secret") for _ in range(20)} == {302}


def test_the_admin_is_limited_too():
    assert [log_in(path="/admin/login/") for _ in range(3)] == [200, 200, 429]


def test_an_account_is_limited_over_all_addresses_but_those_of_its_owner(limits):
    User.objects.filter(username="student").update(email="student@example.com")
    assert log_in(password="a-secret") == 302
    names = ["student", "student@example.com", "STUDENT@example.com"] * 2
    statuses = [log_in(name, address=f"198.51.100.{number}") for number, name in enumerate(names)]
    assert statuses == [200] * 5 + [429]
    assert log_in(password="a-secret", address=ELSEWHERE) == 429
    assert log_in(password="a-secret") == 302
    limits.now += 3600  # the window is over, whatever was tried in it
    assert log_in(password="a-secret", address=ELSEWHERE) == 302


def test_guesses_that_run_together_count_before_one_succeeds(monkeypatch):
    check_password = User.check_password

    def slowly(self, password):
        for _ in range(3):
            throttle.count("failed_by_address_at_account", f"{HERE} student")
        return check_password(self, password)

    monkeypatch.setattr(User, "check_password", slowly)
    assert log_in(password="a-secret") == 429


def test_nor_are_wrong_ones_among_them_answered_otherwise(monkeypatch):
    def slowly(self, password):
        for _ in range(3):
            throttle.count("failed_by_address_at_account", f"{HERE} student")
        return False

    monkeypatch.setattr(User, "check_password", slowly)
    assert log_in() == 429


def test_capitals_tell_nothing_of_who_is_known():
    User.objects.filter(username="student").update(email="student@example.com")
    for name in ("student", "nobody"):
        names = [f"{name}@example.com", f"{name}@EXAMPLE.com".upper()] * 2
        assert [log_in(one, address=f"{HERE}{len(name)}") for one in names] == [200, 200, 429, 429]


async def test_an_async_login_is_limited_as_well(student, rf):
    request = rf.post("/", REMOTE_ADDR=HERE)
    assert await aauthenticate(request, username="student", password="a-secret") == student
    for _ in range(2):
        assert await aauthenticate(request, username="student", password="wrong") is None
    assert await aauthenticate(request, username="student", password="a-secret") is None
    assert throttle.wait_of(request)
    assert await AsyncClient().alogin(username="student", password="a-secret")  # without a request


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1:2:3:4", "2001:db8::/64"),
        ("", None),
    ],
)
def test_what_counts_as_an_address(rf, address, expected):
    assert throttle.address(rf.get("/", REMOTE_ADDR=address)) == expected


def test_behind_a_unix_socket_accounts_alone_are_limited():
    names = ["student"] * 6 + ["nobody"]
    assert [log_in(name, address="") for name in names] == [200] * 5 + [429, 200]


def test_sign_up_is_limited(client):
    assert [client.post("/accounts/sign-up/").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/accounts/sign-up/").status_code == 200


@pytest.mark.parametrize("email", ["student@example.com", "nobody@example.com"])
def test_mails_are_limited_the_same_for_all(email, mailoutbox):
    User.objects.filter(username="student").update(email="student@example.com")

    def ask(address, email):
        return ask_for_a_link(Client(REMOTE_ADDR=address), email, follow=False).status_code

    assert [ask(f"192.0.2.{number}", email.upper()) for number in range(3)] == [302, 302, 429]
    assert [ask(ELSEWHERE, f"{number}@example.com") for number in range(4)] == [302, 302, 429, 429]


def test_without_the_cache_logins_work(monkeypatch, caplog):
    asked = []

    def away(*arguments):
        asked.append(arguments)
        raise ConnectionError("no answer")

    cache = SimpleNamespace(get=away, set=away, add=away, incr=away)
    monkeypatch.setattr(throttle, "cache", cache)
    assert {log_in() for _ in range(9)} == {200}
    assert log_in(password="a-secret") == 302
    assert len(asked) == 1  # not asked again for a while, since each answer may take its time
    assert "not counted now" in caplog.text
