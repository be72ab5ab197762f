"""Django's session as proof."""

from copy import copy
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseSession
from django.http import parse_cookie
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from realtime.credentials import Credentials

SessionStore = import_module(settings.SESSION_ENGINE).SessionStore


class SessionAuthenticator:
    """The cookie of a session."""

    subprotocol = None
    scheme = {
        "type": "httpApiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "The session cookie, which browsers send by themselves. It counts only with an "
        "Origin that the site allows: its own, or one in `CSRF_TRUSTED_ORIGINS`.",
    }

    def find(self, scope: dict) -> str | None:
        if not scope["is_own_page"]:  # then its cookies prove nothing
            return None
        cookies = parse_cookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
        return cookies.get(settings.SESSION_COOKIE_NAME)

    def read(self, session_key: str) -> Credentials:
        """The user of a session and when it ends; nobody if nobody is logged in there, as on a page."""
        return self.read_many([session_key])[0]

    def read_many(self, session_keys: list[str]) -> list[Credentials]:
        """As `read` for each, with one query for all sessions and one for all users."""
        sessions = [SessionStore(key) for key in session_keys]
        ends = load_rows(sessions) if SessionStore.load is DatabaseSession.load else {}
        return [
            Credentials(user, ends.get(session.session_key) or session_ends(session), session=session)
            if user
            else Credentials(AnonymousUser(), session=session)
            for session, user in zip(sessions, users_of(sessions), strict=True)
        ]

    def log_in(self, user: AbstractUser) -> dict[str, str]:
        """Begin a session of ten minutes; return the headers with which a client comes as the user."""
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.set_expiry(600)
        session.save()
        return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}


def load_rows(sessions: list[Any]) -> dict[str, float]:
    """Load sessions that are rows, in one query; return when each ends, in seconds since 1970, by its key."""
    keys = {session.session_key for session in sessions if session.session_key}
    now = timezone.now()
    rows = SessionStore.get_model_class().objects.filter(expire_date__gt=now).in_bulk(keys)
    for session in sessions:
        row = rows.get(session.session_key)
        session._session_cache = session.decode(row.session_data) if row else {}
        if row is None:
            session._session_key = None  # as when it loads itself: who saves it gets a new one
    return {key: row.expire_date.timestamp() for key, row in rows.items()}


def users_of(sessions: list[SessionBase]) -> list[AbstractUser | None]:
    """As `django.contrib.auth.get_user` for each, but leaves the sessions as they are.

    That one renews the key of a session which rests on one of SECRET_KEY_FALLBACKS, or removes the session
    if it rests on none: a handshake could not tell the browser.
    """
    to_python = get_user_model()._meta.pk.to_python
    asked = [(each.get(BACKEND_SESSION_KEY, ""), to_python(each.get(SESSION_KEY))) for each in sessions]
    users = {
        (path, pk): user
        for path in {path for path, _ in asked}.intersection(settings.AUTHENTICATION_BACKENDS)
        for pk, user in get_users(load_backend(path), {pk for backend, pk in asked if backend == path})
    }
    return [
        copy(user) if (user := users.get(key)) and rests_on(session, user) else None
        for session, key in zip(sessions, asked, strict=True)
    ]


def get_users(backend: Any, pks: set) -> list[tuple[Any, AbstractUser | None]]:
    """What `backend.get_user` says of each, which takes one query if that is Django's own."""
    if type(backend).get_user is not ModelBackend.get_user:
        return [(pk, backend.get_user(pk)) for pk in pks]
    found = get_user_model()._default_manager.in_bulk(pks)
    return [(pk, user) for pk, user in found.items() if backend.user_can_authenticate(user)]


def rests_on(session: SessionBase, user: AbstractUser) -> bool:
    """Whether a session was begun with the password that the user has now."""
    given = session.get(HASH_SESSION_KEY, "")
    valid = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(given, hash) for hash in valid)


def session_ends(session: SessionBase) -> float:
    """When a session ends, in seconds since 1970.

    Its own `get_expiry_date()` counts from now; in a database, the row knows when it was last saved.
    """
    if hasattr(session, "model"):
        row = session.model.objects.filter(pk=session.session_key).values_list("expire_date", flat=True)
        if ends := row.first():
            return ends.timestamp()
    return session.get_expiry_date().timestamp()
