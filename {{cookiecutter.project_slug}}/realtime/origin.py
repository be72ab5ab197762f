"""Which web pages may open a socket here."""

from urllib.parse import urlsplit

from channels.security.websocket import OriginValidator, WebsocketDenier
from django.conf import settings


class TrustedOrigin(OriginValidator):
    """Refuses a foreign Origin in the handshake; `scope["has_origin"]` says whether there was one.

    A browser sends a site's cookies along whichever page opens the socket, and always says which page that
    is. A native client says nothing: it may come in, but only with a token or a ticket.
    """

    def __init__(self, application):
        trusted = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if urlsplit(origin).hostname]
        super().__init__(application, [*settings.ALLOWED_HOSTS, *trusted])

    def __call__(self, scope, receive, send):
        # Neither copies the scope nor makes a coroutine: both would take memory as long as the socket lives.
        origin = dict(scope["headers"]).get(b"origin")
        scope["has_origin"] = origin is not None
        allowed = origin is None or self.validate_origin(parse(origin.decode("latin-1")))
        return (self.application if allowed else WebsocketDenier())(scope, receive, send)


def parse(origin: str):
    try:
        return urlsplit(origin)
    except ValueError:  # no address at all, so nobody's
        return urlsplit("")
