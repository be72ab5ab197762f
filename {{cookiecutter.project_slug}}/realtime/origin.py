"""Which web pages may open a socket here."""

from urllib.parse import urlsplit

from channels.security.websocket import OriginValidator
from django.conf import settings


class TrustedOrigin(OriginValidator):
    """Refuses a foreign Origin in the handshake; `scope["has_origin"]` says whether there was one.

    A browser sends a site's cookies along whichever page opens the socket, and always says which page that
    is. A native client says nothing: it may come in, but only with a token or a ticket.
    """

    def __init__(self, application):
        trusted = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if urlsplit(origin).hostname]
        super().__init__(application, [*settings.ALLOWED_HOSTS, *trusted])

    async def __call__(self, scope, receive, send):
        named = any(name == b"origin" for name, _ in scope["headers"])
        return await super().__call__({**scope, "has_origin": named}, receive, send)

    def valid_origin(self, parsed_origin):
        return parsed_origin is None or self.validate_origin(parsed_origin)
