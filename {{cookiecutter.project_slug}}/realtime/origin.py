"""Which web pages may open a socket here."""

import logging
from io import BytesIO
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.utils.http import is_same_domain

logger = logging.getLogger("realtime")


class TrustedOrigin:
    """Refuses a foreign Origin in the handshake; `scope["is_own_page"]` says whether cookies count.

    A browser sends a site's cookies along whichever page opens the socket, and always says which page that
    is. A native client says nothing: it may come in, but only with a token or a ticket. So may a page that
    `REALTIME["TOKEN_ORIGINS"]` names.
    """

    def __init__(self, application):
        self.application = application

    def __call__(self, scope, receive, send):
        # Neither copies the scope nor makes a coroutine: both would take memory as long as the socket lives.
        has_origin = any(name == b"origin" for name, _ in scope["headers"])
        request = as_request(scope) if has_origin else None
        scope["is_own_page"] = request is not None and is_trusted(request)
        allowed = request is None or scope["is_own_page"] or may_bring_tokens(request)
        return (self.application if allowed else deny)(scope, receive, send)


def as_request(scope) -> ASGIRequest:
    """The handshake as a request, for the settings that say where Django finds host and scheme."""
    scheme = "https" if scope.get("scheme") in ("wss", "https") else "http"
    asked = {"method": "GET", "path": "/", "scheme": scheme, "server": scope.get("server")}
    return ASGIRequest(asked | {"headers": scope["headers"]}, BytesIO())


def is_trusted(request: ASGIRequest) -> bool:
    """Compare the Origin as Django's CSRF check does: with this site, then with CSRF_TRUSTED_ORIGINS."""
    origin = request.META["HTTP_ORIGIN"]
    return origin in (address(request), *settings.CSRF_TRUSTED_ORIGINS) or matches_a_wildcard(origin)


def may_bring_tokens(request: ASGIRequest) -> bool:
    origin = request.META["HTTP_ORIGIN"]
    if origin in settings.REALTIME.get("TOKEN_ORIGINS", ()):
        return True
    site = address(request)
    logger.warning("refused a socket to %.100r: it is neither %s nor in CSRF_TRUSTED_ORIGINS", origin, site)
    return False


def address(request: ASGIRequest) -> str | None:
    """Scheme, host and port that the client asked for; None if ALLOWED_HOSTS does not have the host."""
    try:
        return f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return None


def matches_a_wildcard(origin: str) -> bool:
    try:
        page = urlsplit(origin)
    except ValueError:  # no address at all, so nobody's
        return False
    wildcards = [trusted.split("://*") for trusted in settings.CSRF_TRUSTED_ORIGINS if "://*" in trusted]
    return any(page.scheme == scheme and is_same_domain(page.netloc, domain) for scheme, domain in wildcards)


async def deny(scope, receive, send):
    """Close before accept, which servers answer with HTTP 403."""
    await receive()  # websocket.connect
    await send({"type": "websocket.close"})
