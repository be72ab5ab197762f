"""Who may open a socket, and until when."""

from datetime import timedelta
from threading import Event
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from realtime import auth, auth_ticket
from realtime.auth_session import SessionAuthenticator, session_ends
from realtime.codes import NOT_AUTHENTICATED, TRY_AGAIN_LATER
from realtime.database import in_database
from realtime.frames import Refused
from realtime.hub import Hub
from realtime.origin import TrustedOrigin

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


OWN, FOREIGN = "http://testserver", "http://testserver:9"


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        (OWN, True),
        (FOREIGN, False),
        ("https://testserver", False),
        ("http://testserver.evil.example", False),
        ("https://app.example.com", True),
        ("http://app.example.com", False),
        ("https://any.example.org", True),
        ("https://any.example.org:9", False),
        ("http://any.example.org", False),
        ("https://evilexample.org", False),
        ("http://testserver:99999", False),
        ("http://[", False),
        ("null", False),
        ("\x00\xff", False),
    ],
)
async def test_a_foreign_page_is_refused_in_the_handshake(connect, student, settings, origin, accepted):
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example.com", "https://*.example.org"]
    assert (await connect(PATH, student, origin=origin)).accepted == accepted


@pytest.mark.parametrize(
    ("scheme", "host", "origins", "accepted"),
    [
        ("wss", "testserver", ["https://testserver"], True),
        ("wss", "testserver:8443", ["https://testserver:8443"], True),
        ("wss", "testserver", [OWN], False),
        ("ws", "testserver", [], True),
        ("ws", "testserver", [""], False),
        ("ws", "testserver", [OWN, FOREIGN], False),
        ("ws", "testserver", [FOREIGN, OWN], False),
        ("ws", "evil.example", ["http://evil.example"], False),
        ("ws", "[", ["http://["], False),
    ],
)
async def test_an_origin_is_compared_with_what_was_asked_for(scheme, host, origins, accepted):
    headers = [(b"host", host.encode()), *((b"origin", origin.encode()) for origin in origins)]
    scope, events, sent = {"scheme": scheme, "headers": headers}, iter([{"type": "websocket.connect"}]), []

    async def application(scope, receive, send):
        sent.append(scope["is_own_page"])

    async def receive():
        return next(events)

    async def send(message):
        sent.append(message)

    await TrustedOrigin(application)(scope, receive, send)
    assert sent == ([bool(origins)] if accepted else [{"type": "websocket.close"}])


async def log_in(user, client):
    """Log in, and return an address with a ticket."""
    await client.aforce_login(user)
    return f"{PATH}?ticket={(await client.post(TICKET)).json()['ticket']}"


async def test_a_ticket_opens_one_socket(connect, student):
    path = await log_in(student, AsyncClient())
    assert (await connect(path, origin=None)).hello
    assert (await connect(path, origin=None)).code == NOT_AUTHENTICATED


async def log_out(user, client):
    await client.post(reverse("logout"), {}, "application/json")


async def change_password(user, client):
    user.set_password("another-1")
    await user.asave()


async def deactivate(user, client):
    await type(user).objects.aupdate(is_active=False)  # which sends no signal


@pytest.mark.parametrize("end", [log_out, change_password, deactivate])
async def test_a_ticket_ends_with_the_login_that_it_came_from(connect, student, end):
    client = AsyncClient()
    path = await log_in(student, client)
    await end(student, client)
    assert (await connect(path, origin=None)).code == NOT_AUTHENTICATED


async def test_a_socket_opens_while_the_secret_key_is_changed(connect, student, settings):
    client = AsyncClient()
    path = await log_in(student, client)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new one" * 6
    assert (await connect(path)).hello
    assert (await client.post(TICKET)).status_code == 200  # the browser's cookie is still good


def test_a_ticket_that_cannot_be_stored_is_no_error_of_the_server(client, student, monkeypatch):
    def away(*arguments):
        raise RuntimeError("the cache is away")

    monkeypatch.setattr(auth_ticket, "cache", SimpleNamespace(set=away))
    client.force_login(student)
    answer = client.post(TICKET)
    assert (answer.status_code, list(answer.json())) == (503, ["detail"])


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


async def test_a_login_without_a_token_takes_none(connect, student):
    socket = await connect(await log_in(student, AsyncClient()))
    await socket.send("auth.refresh", id=1, token="any")
    error = await socket.receive("error")
    assert (error["id"], error["code"]) == (1, "not_allowed")
    assert "log in" in error["detail"]


async def test_a_socket_closes_when_the_login_ends(connect, student):
    path = await log_in(student, AsyncClient())
    await Session.objects.aupdate(expire_date=timezone.now() + timedelta(seconds=0.3))
    assert await (await connect(path)).close_code() == NOT_AUTHENTICATED


async def pass_through(path="/"):
    """Return the scope as an application behind the middleware sees it."""
    passed = []

    async def application(scope, receive, send):
        passed.append(scope)

    query = path.partition("?")[2].encode()
    scope = {"headers": [], "subprotocols": [], "query_string": query, "is_own_page": False}
    await auth.WebSocketAuthMiddleware(application)(scope, None, None)
    return passed[0]


async def test_a_plain_consumer_finds_the_user_in_its_scope(student):
    assert isinstance((await pass_through())["user"], AnonymousUser)
    assert (await pass_through(await log_in(student, AsyncClient())))["user"] == student


@pytest.mark.parametrize(
    ("error", "expected"),
    [(OperationalError("no answer"), True), (ConnectionError("no answer"), True), (KeyError("?"), False)],
)
@pytest.mark.parametrize("place", ["hub", "cache", "database"])
async def test_who_cannot_be_authenticated_now_may_come_back(monkeypatch, caplog, place, error, expected):
    def fail(*arguments):
        raise error

    if place == "hub":
        monkeypatch.setattr(Hub, "start", fail)
    elif place == "cache":
        monkeypatch.setattr(auth_ticket, "cache", SimpleNamespace(get_many=fail))
        expected = True  # its errors are those of a cache, whatever they are
    else:
        monkeypatch.setattr(SessionAuthenticator, "read", fail)
    ticket = "any" if place == "cache" else auth_ticket.issue(SessionAuthenticator, "a key")
    scope = await pass_through(f"/?ticket={ticket}")
    assert isinstance(scope["credentials"], Refused)
    assert scope["credentials"].code == TRY_AGAIN_LATER
    assert isinstance(scope["user"], AnonymousUser)
    record = caplog.records[-1]
    assert (record.exc_info is None) == expected


async def test_a_handshake_does_not_wait_for_ever(monkeypatch):
    answered = Event()
    monkeypatch.setattr(auth, "authenticate", in_database(lambda scope: answered.wait(10)))
    monkeypatch.setattr(auth, "TIME_LIMIT", 0.1)
    assert isinstance((await pass_through())["credentials"], Refused)
    answered.set()
