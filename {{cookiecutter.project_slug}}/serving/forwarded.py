"""Who asks, and by which scheme, when a proxy stands between.

Servers find this out themselves, each in its own way. Theirs is off here, so that all do it alike.
"""

import re
from inspect import markcoroutinefunction
from ipaddress import ip_address, ip_network

SCHEMES = {b"http": ("http", "ws"), b"https": ("https", "wss")}
SCHEMES |= {b"ws": SCHEMES[b"http"], b"wss": SCHEMES[b"https"]}  # Traefik says so of WebSockets
# Where the proxies of a platform stand, and no client that comes through the Internet.
PRIVATE = (
    *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    *("::1/128", "fc00::/7", "fe80::/10"),
)
HOP = re.compile(r"(?:\[(.+)\]|([^:]+))(?::(\d{1,5}))?")  # an IPv6 address with a port has brackets


class Proxies:
    """Those that are believed: addresses and networks, or "*" for everyone; then proxies are those with a
    private address."""

    def __init__(self, trusted):
        self.everyone = "*" in trusted
        self.networks = [ip_network(proxy) for proxy in (PRIVATE if self.everyone else trusted)]

    def believes(self, peer: str | None) -> bool:
        return self.everyone or self.trusts(peer)

    def trusts(self, host: str | None) -> bool:
        """Say whether this is the address of a proxy; a Unix socket has none."""
        if not self.networks:
            return False
        try:
            address = ip_address(host or "")
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address  # as a socket for both kinds calls them
        return any(address in network for network in self.networks)

    def client(self, forwarded: str) -> tuple[str, int] | None:
        """Return host and port of the client; the port is 0 if unknown.

        Each proxy appends who called it, so the client is the last that is no proxy itself, or the first if
        all are. What stands before is the client's own word.
        """
        hops = forwarded.split(",")
        try:
            for hop in reversed(hops):
                client = parse(hop.strip())
                if not self.trusts(client[0]):
                    break
        except ValueError:
            return None
        return client


class ProxyHeaders:
    """ASGI middleware that takes the client from X-Forwarded-For and the scheme from X-Forwarded-Proto.

    What cannot be read is as good as absent. The scope is changed in place, so that servers log the client,
    too.
    """

    def __init__(self, application, trusted):
        self.application, self.proxies = application, Proxies(trusted)

    @markcoroutinefunction  # it returns the application's: one of its own would last as long as a socket
    def __call__(self, scope, receive, send):
        if scope["type"] != "lifespan" and self.proxies.believes((scope.get("client") or [None])[0]):
            self.believe(scope)
        return self.application(scope, receive, send)

    def believe(self, scope) -> None:
        forwarded, proto = [], b""
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                forwarded.append(value)
            elif name == b"x-forwarded-proto":
                proto = value
        if forwarded and (client := self.proxies.client(b",".join(forwarded).decode("latin-1"))):
            scope["client"] = client
        if schemes := SCHEMES.get(proto.strip().lower()):
            scope["scheme"] = schemes[scope["type"] == "websocket"]


class WSGIProxyHeaders:
    """The same for WSGI, where a proxy's headers of one name are one, and a peer at a Unix socket is ""."""

    def __init__(self, application, trusted):
        self.application, self.proxies = application, Proxies(trusted)

    def __call__(self, environ, start_response):
        if self.proxies.believes(environ.get("REMOTE_ADDR") or None):
            if client := self.proxies.client(environ.get("HTTP_X_FORWARDED_FOR", "")):
                environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = client[0], str(client[1])
            proto = environ.get("HTTP_X_FORWARDED_PROTO", "").strip().lower()
            if schemes := SCHEMES.get(proto.encode("latin-1")):
                environ["wsgi.url_scheme"] = schemes[0]
        return self.application(environ, start_response)


def parse(hop: str) -> tuple[str, int]:
    """Return host and port, 0 if there is none; raise ValueError if this is no address."""
    port = None
    if match := HOP.fullmatch(hop):
        hop, port = match[1] or match[2], match[3]
    return str(ip_address(hop)), int(port or 0)
