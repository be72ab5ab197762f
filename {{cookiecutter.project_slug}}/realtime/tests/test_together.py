"""Sessions and tickets of handshakes that arrive together."""

import asyncio
from datetime import timedelta
from importlib import import_module

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.models import Session
from django.test import AsyncClient
from django.utils import timezone

from accounts.models import User
from realtime import auth_session, auth_ticket
from realtime.auth_session import SessionAuthenticator
from realtime.auth_ticket import TicketAuthenticator
from realtime.codes import NOT_AUTHENTICATED
from realtime.tests.test_auth import PATH, log_in

read_many = SessionAuthenticator().read_many


def key_of(user) -> str:
    return SessionAuthenticator().log_in(user)["Cookie"].partition("=")[2]


@pytest.fixture
def users(db):
    return [User.objects.create_user(f"user-{number}", password="a-secret") for number in range(5)]


def test_many_sessions_take_two_queries(users, django_assert_num_queries):
    keys = [key_of(user) for user in users]
    soon = timezone.now() + timedelta(seconds=5)
    Session.objects.filter(pk=keys[0]).update(expire_date=soon)
    with django_assert_num_queries(2):
        found = read_many(keys)
        assert [each.user for each in found] == users
        assert [each.session.session_key for each in found] == keys
        assert found[0].expires == soon.timestamp()
        assert found[0].session["_auth_user_id"] == str(users[0].pk)


def test_who_may_not_come_in_is_a_guest_among_the_others(users):
    keys = [key_of(user) for user in users]
    users[0].is_active = False
    users[1].set_password("another-1")
    for user in users[:2]:
        user.save()
    users[2].delete()
    Session.objects.filter(pk=keys[3]).update(expire_date=timezone.now())
    found = read_many([*keys, "unknown-0123456789", ""])
    assert [each.user.is_authenticated for each in found] == [False] * 4 + [True, False, False]
    assert found[0].session.session_key == keys[0]
    assert found[3].session.session_key is None  # a new one, for who saves it
    assert found[5].session.session_key is None


def test_sessions_last_while_the_secret_key_is_changed(users, settings):
    keys = [key_of(user) for user in users]
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new one" * 6
    assert [each.user for each in read_many(keys)] == users


def test_sockets_of_one_session_have_a_user_each(users):
    one, other = read_many([key_of(users[0])] * 2)
    assert one.user == other.user
    assert one.user is not other.user


class Own(ModelBackend):
    def get_user(self, user_id):
        user = super().get_user(user_id)
        return user if user and user.username != "user-1" else None


def test_a_backend_of_ones_own_is_asked(users, settings):
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Own", *settings.AUTHENTICATION_BACKENDS]
    found = read_many([key_of(user) for user in users])
    assert [each.user.is_authenticated for each in found] == [True, False, True, True, True]
    settings.AUTHENTICATION_BACKENDS = settings.AUTHENTICATION_BACKENDS[1:]
    assert not read_many([each.session.session_key for each in found])[0].user.is_authenticated


@pytest.mark.parametrize("engine", ["cached_db", "cache", "signed_cookies"])
def test_sessions_of_another_engine(users, monkeypatch, engine):
    store = import_module(f"django.contrib.sessions.backends.{engine}").SessionStore
    monkeypatch.setattr(auth_session, "SessionStore", store)
    found = read_many([*map(key_of, users), "unknown-0123456789"])
    assert [each.user.is_authenticated for each in found] == [True] * 5 + [False]
    assert 590 < found[0].expires - timezone.now().timestamp() <= 601


def test_of_many_tickets_each_opens_one_socket(users):
    keys = [key_of(user) for user in users]
    tickets = [auth_ticket.issue(SessionAuthenticator, key) for key in keys]
    users[0].is_active = False
    users[0].save()
    found = TicketAuthenticator().read_many(["made-up", *tickets, tickets[1]])
    assert [each and each.user for each in found] == [None, None, *users[1:], None]
    assert TicketAuthenticator().read_many(tickets) == [None] * 5


def test_a_ticket_whose_proof_fails_fails_alone(users, monkeypatch):
    keys, read = [key_of(user) for user in users[:3]], auth_session.users_of

    def users_of(sessions):
        if any(session.session_key == keys[1] for session in sessions):
            raise ValueError("a session that nobody can read")
        return read(sessions)

    monkeypatch.setattr(auth_session, "users_of", users_of)
    tickets = [auth_ticket.issue(SessionAuthenticator, key) for key in keys]
    one, bad, other = TicketAuthenticator().read_many(tickets)
    assert (one.user, other.user) == (users[0], users[2])
    assert isinstance(bad, ValueError)


async def test_many_handshakes_at_once(connect, student, mentor, admin):
    paths = [await log_in(user, AsyncClient()) for user in (student, mentor, admin)]
    await User.objects.filter(pk=mentor.pk).aupdate(is_active=False)
    paths.append(f"{PATH}?ticket=made-up")
    sockets = await asyncio.gather(*(connect(path, origin=None) for path in paths))
    assert [socket.code for socket in sockets] == [None, NOT_AUTHENTICATED, None, NOT_AUTHENTICATED]
    assert [sockets[place].hello["user"]["id"] for place in (0, 2)] == [student.pk, admin.pk]
