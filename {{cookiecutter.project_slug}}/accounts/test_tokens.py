"""Tokens, and the sockets that were opened with them, end with the login."""

import threading
from types import SimpleNamespace
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from corsheaders.middleware import CorsMiddleware
from django.test import AsyncClient
from django.utils import timezone
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken as SimplejwtsAccessToken
from rest_framework_simplejwt.tokens import SlidingToken

from accounts import signals, throttle
from accounts.models import RevokedLogin, User
from accounts.tokens import AccessToken, RefreshToken
from realtime.auth_jwt import TokenAuthenticator
from realtime.codes import NOT_AUTHENTICATED


@pytest.fixture
def tokens(client, student):
    """Return a function that asks for tokens."""

    def tokens(path="", **data):
        return client.post(f"/api/token/{path}", data)

    return tokens


LOGIN = {"username": "student", "password": "a-secret"}


def is_good(client, access):
    return client.get("/api/notes/", headers={"authorization": f"Bearer {access}"}).status_code == 200


def test_tokens(client, tokens):
    pair, other = tokens(**LOGIN).json(), tokens(**LOGIN).json()
    later = tokens("refresh/", refresh=pair["refresh"]).json()["access"]
    assert is_good(client, later)
    assert tokens("logout/", refresh=pair["refresh"]).status_code == 200
    assert not is_good(client, pair["access"])
    assert not is_good(client, later)
    assert tokens("refresh/", refresh=pair["refresh"]).status_code == 401
    assert is_good(client, other["access"])  # of another login
    assert tokens("logout/", refresh="nonsense").status_code == 401
    assert tokens(username="student", password="wrong").status_code == 401


async def test_an_access_token_opens_no_socket_after_logging_out(connect, student):
    refresh = await sync_to_async(RefreshToken.for_user)(student)
    bearer = ["bearer", str(refresh.access_token)]
    sockets = [await connect("/ws/sample/", subprotocols=bearer), await connect("/ws/sample/", student)]
    await AsyncClient().post("/api/token/logout/", {"refresh": str(refresh)})
    assert [await socket.close_code() for socket in sockets] == [NOT_AUTHENTICATED] * 2
    assert (await connect("/ws/sample/", subprotocols=bearer)).code == NOT_AUTHENTICATED


@pytest.mark.parametrize("blacklist", [True, False])
def test_a_login_may_renew_its_refresh_token(client, tokens, monkeypatch, blacklist):
    kicked = []
    monkeypatch.setattr(signals, "kick", lambda *arguments: kicked.append(arguments))
    monkeypatch.setattr(api_settings, "ROTATE_REFRESH_TOKENS", True)
    monkeypatch.setattr(api_settings, "BLACKLIST_AFTER_ROTATION", blacklist)
    first = tokens(**LOGIN).json()
    second = tokens("refresh/", refresh=first["refresh"]).json()
    assert is_good(client, first["access"])
    assert not kicked
    tokens("logout/", refresh=second["refresh"])
    assert len(kicked) == 1
    assert not is_good(client, first["access"])
    assert not is_good(client, second["access"])
    assert tokens("refresh/", refresh=first["refresh"]).status_code == 401


def test_a_deleted_user_gets_no_new_token(tokens, student):
    refresh = tokens(**LOGIN).json()["refresh"]
    student.delete()
    assert tokens("refresh/", refresh=refresh).status_code == 401


def test_a_login_that_was_ended_is_forgotten_when_its_tokens_are_over(tokens):
    RevokedLogin.objects.create(sid="old", expires_at=timezone.now())
    pair = tokens(**LOGIN).json()
    tokens("logout/", refresh=pair["refresh"])
    ended = RevokedLogin.objects.get()
    assert ended.sid == AccessToken(pair["access"], verify=False)["sid"]
    assert ended.expires_at.timestamp() >= RefreshToken(pair["refresh"], verify=False)["exp"]


def test_tokens_for_an_email_address_and_no_more_guesses(tokens, settings, monkeypatch):
    User.objects.update(email="student@example.com")
    assert tokens(username="Student@example.com", password="a-secret").status_code == 200
    settings.THROTTLE = settings.THROTTLE | {"failed_by_address": (2, 300)}
    monkeypatch.setattr(throttle, "PREFIX", uuid4().hex)
    monkeypatch.setattr(throttle, "time", SimpleNamespace(time=lambda: 1_000_000.0, monotonic=lambda: 0.0))
    statuses = [tokens(username="student", password="wrong").status_code for _ in range(3)]
    answer = tokens(**LOGIN)
    assert statuses == [401, 401, 429]
    assert answer.status_code == 429
    assert answer["Retry-After"] == "200"
    assert "throttled" in answer.json()["detail"]


PAGE = "https://app.example.net"
PREFLIGHT = {"access-control-request-method": "GET", "access-control-request-headers": "authorization"}


@pytest.mark.parametrize(
    ("origin", "path", "allowed"),
    [
        (PAGE, "/api/asyncapi.json", True),
        (PAGE, "/admin/login/", False),
        ("https://evil.example", "/api/asyncapi.json", False),
    ],
)
def test_pages_of_other_sites_use_the_api_if_so_set(client, settings, origin, path, allowed):
    settings.CORS_ALLOWED_ORIGINS = [PAGE]
    for answer in (
        client.options(path, headers=PREFLIGHT | {"origin": origin}),
        client.get(path, headers={"origin": origin}),
    ):
        assert answer.get("Access-Control-Allow-Origin") == (origin if allowed else None)
        with_cookies = allowed and getattr(settings, "CORS_ALLOW_CREDENTIALS", False)
        assert ("Access-Control-Allow-Credentials" in answer) == with_cookies


async def test_other_sites_cost_no_thread(async_client, monkeypatch):
    seen, add = [], CorsMiddleware.add_response_headers

    def watched(self, *arguments):
        seen.append(threading.current_thread())
        return add(self, *arguments)

    monkeypatch.setattr(CorsMiddleware, "add_response_headers", watched)
    assert (await async_client.get("/favicon.ico")).status_code == 302
    assert seen == [threading.current_thread()]


def test_many_tokens_take_two_queries(student, mentor, admin, django_assert_num_queries):
    refresh = [RefreshToken.for_user(user) for user in (student, mentor, admin, student)]
    good = [str(token.access_token) for token in refresh]
    RevokedLogin.add(refresh[3]["sid"], RefreshToken.lifetime)
    wrong = [good[0][:-4] + "AAAA", str(refresh[0]), "", "a.b.c"]
    with django_assert_num_queries(2):  # for the logins and the users
        found = TokenAuthenticator().read_many([*wrong, *good, good[0]])
    assert [each and each.user for each in found] == [None] * 4 + [student, mentor, admin, None, student]
    assert found[4].user is not found[8].user
    assert found[4].expires == refresh[0].access_token["exp"]


def test_of_many_tokens_those_of_who_changed_hold_no_longer(student, mentor, admin):
    tokens = [str(RefreshToken.for_user(user).access_token) for user in (student, mentor, admin)]
    student.set_password("another-1")
    student.save()
    User.objects.filter(pk=mentor.pk).update(is_active=False)
    assert [each and each.user for each in TokenAuthenticator().read_many(tokens)] == [None, None, admin]
    admin.delete()
    assert TokenAuthenticator().read_many(tokens) == [None] * 3


def test_tokens_of_other_classes_are_read_one_by_one(student, monkeypatch):
    token = str(RefreshToken.for_user(student).access_token)
    monkeypatch.setattr(api_settings, "AUTH_TOKEN_CLASSES", [SlidingToken, SimplejwtsAccessToken])
    found = TokenAuthenticator().read_many([token, "a.b.c"])
    assert [each and each.user for each in found] == [student, None]
