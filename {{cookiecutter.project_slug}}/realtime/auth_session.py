"""Django's session as proof."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import parse_cookie
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
        session = SessionStore(session_key)
        user = user_of(session)
        if user is None:
            return Credentials(AnonymousUser(), session=session)
        return Credentials(user, session_ends(session), session=session)

    def log_in(self, user: AbstractUser) -> dict[str, str]:
        """Begin a session of ten minutes; return the headers with which a client comes as the user."""
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.set_expiry(600)
        session.save()
        return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}


def user_of(session: SessionBase) -> AbstractUser | None:
    """As `django.contrib.auth.get_user`, but leaves the session as it is.

    That one renews the key of a session which rests on one of SECRET_KEY_FALLBACKS, or removes the session
    if it rests on none: a handshake could not tell the browser.
    """
    backend = session.get(BACKEND_SESSION_KEY, "")
    if backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = load_backend(backend).get_user(get_user_model()._meta.pk.to_python(session.get(SESSION_KEY)))
    if user is None:
        return None
    given = session.get(HASH_SESSION_KEY, "")
    valid = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return user if any(constant_time_compare(given, hash) for hash in valid) else None


def session_ends(session: SessionBase) -> float:
    """When a session ends, in seconds since 1970.

    Its own `get_expiry_date()` counts from now; in a database, the row knows when it was last saved.
    """
    if hasattr(session, "model"):
        row = session.model.objects.filter(pk=session.session_key).values_list("expire_date", flat=True)
        if ends := row.first():
            return ends.timestamp()
    return session.get_expiry_date().timestamp()
