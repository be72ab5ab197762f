import pytest

from serving.forwarded import ProxyHeaders, WSGIProxyHeaders
from serving.preflight import check_socket

PROXY, OTHER_PROXY, STRANGER, CLIENT = "10.0.0.1", "10.0.9.9", "198.51.100.4", "203.0.113.7"
PROXIES = [PROXY, "10.0.9.0/24", "2001:db8::/64"]
EVERYONE = ["*"]

TOLD = [  # who is trusted, the peer, what it says in X-Forwarded-For, and who the client is
    (PROXIES, PROXY, [CLIENT], (CLIENT, 0)),
    (PROXIES, STRANGER, [CLIENT], (STRANGER, 5000)),
    ([], PROXY, [CLIENT], (PROXY, 5000)),
    (PROXIES, PROXY, [], (PROXY, 5000)),
    # What the client forges stands before what the proxy has added.
    (PROXIES, PROXY, [f"10.9.9.9, {CLIENT}"], (CLIENT, 0)),
    (PROXIES, PROXY, [f"10.9.9.9, {CLIENT}, {OTHER_PROXY}"], (CLIENT, 0)),
    (PROXIES, PROXY, ["10.9.9.9", f"{CLIENT},{OTHER_PROXY}"], (CLIENT, 0)),
    (PROXIES, PROXY, [f"nonsense, {CLIENT}"], (CLIENT, 0)),
    (PROXIES, PROXY, [f"{OTHER_PROXY}, {PROXY}"], (OTHER_PROXY, 0)),
    # Other ways of writing an address
    (PROXIES, PROXY, [f"{CLIENT}:4711"], (CLIENT, 4711)),
    (PROXIES, PROXY, ["2001:DB8:1::7"], ("2001:db8:1::7", 0)),
    (PROXIES, PROXY, ["[2001:db8:1::7]"], ("2001:db8:1::7", 0)),
    (PROXIES, PROXY, ["[2001:db8:1::7]:4711"], ("2001:db8:1::7", 4711)),
    (PROXIES, PROXY, [f"{CLIENT}, [2001:db8::9]:80, {OTHER_PROXY}:80"], (CLIENT, 0)),
    (PROXIES, "2001:db8::1", [CLIENT], (CLIENT, 0)),
    (PROXIES, "2001:db8:0:1::1", [CLIENT], ("2001:db8:0:1::1", 5000)),
    (PROXIES, f"::ffff:{PROXY}", [CLIENT], (CLIENT, 0)),
    # Everyone is believed, and proxies are those with a private address.
    (EVERYONE, STRANGER, [f"{CLIENT}, {OTHER_PROXY}"], (CLIENT, 0)),
    (EVERYONE, PROXY, [f"{STRANGER}, {CLIENT}, 172.16.1.1, fd00::1"], (CLIENT, 0)),
    (EVERYONE, PROXY, [f"{OTHER_PROXY}, {PROXY}"], (OTHER_PROXY, 0)),
    ([PROXY, "*"], STRANGER, [f"{CLIENT}, {OTHER_PROXY}"], (CLIENT, 0)),
    # A Unix socket
    (EVERYONE, None, [CLIENT], (CLIENT, 0)),
    (PROXIES, None, [CLIENT], None),
]
UNREADABLE = [
    "",
    ",",
    "unknown",
    f"{CLIENT}, unknown",
    f"{CLIENT}, unknown, {OTHER_PROXY}",
    f"{CLIENT},",
    f"{CLIENT}:http",
    f"{CLIENT}:4711:1",
    f"{CLIENT}:123456",
    f"me@{CLIENT}",
    f"{CLIENT}/24",
    "[2001:db8:1::7",
    "[2001:db8:1::7]4711",
    "[]",
    ":80",
    "localhost",
    "203.0.113.700",
    "\xff",
]
SCHEMES = [  # what the proxy says, and the scheme of a request and of a WebSocket
    (["https"], "https", "wss"),
    (["http"], "http", "ws"),
    (["wss"], "https", "wss"),
    (["ws"], "http", "ws"),
    ([" HTTPS "], "https", "wss"),
    (["http", "https"], "https", "wss"),
    (["https, http"], "http", "ws"),
    (["gopher"], "http", "ws"),
    ([""], "http", "ws"),
    ([], "http", "ws"),
]


def told(trusted, peer, forwarded=(), proto=(), type="http"):
    """Return client and scheme as the application gets them, when a peer sends these headers."""
    headers = [(b"host", b"example.com")]
    headers += [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    headers += [(b"x-forwarded-proto", value.encode("latin-1")) for value in proto]
    scheme = "ws" if type == "websocket" else "http"
    scope = {"type": type, "scheme": scheme, "client": peer and [peer, 5000], "headers": headers}
    ProxyHeaders(lambda scope, receive, send: None, trusted)(scope, None, None)
    return scope["client"] and tuple(scope["client"]), scope["scheme"]


def told_by_wsgi(trusted, peer, forwarded=(), proto=()):
    environ = {"REMOTE_ADDR": peer or "", "REMOTE_PORT": "5000", "wsgi.url_scheme": "http"}
    headers = {"HTTP_X_FORWARDED_FOR": forwarded, "HTTP_X_FORWARDED_PROTO": proto}
    environ |= {name: ",".join(values) for name, values in headers.items() if values}
    WSGIProxyHeaders(lambda environ, start_response: [], trusted)(environ, None)
    return environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]


@pytest.mark.parametrize(("trusted", "peer", "forwarded", "client"), TOLD)
def test_client_under_wsgi(trusted, peer, forwarded, client):
    assert told_by_wsgi(trusted, peer, forwarded) == (client[0] if client else "", "http")


@pytest.mark.parametrize(
    ("proto", "scheme"), [(["https"], "https"), ([" WSS "], "https"), (["gopher"], "http")]
)
def test_scheme_under_wsgi(proto, scheme):
    assert told_by_wsgi(PROXIES, PROXY, [], proto) == (PROXY, scheme)
    assert told_by_wsgi(PROXIES, STRANGER, [CLIENT], proto) == (STRANGER, "http")


@pytest.mark.parametrize(("trusted", "peer", "forwarded", "client"), TOLD)
def test_client(trusted, peer, forwarded, client):
    for type in ("http", "websocket"):
        assert told(trusted, peer, forwarded, type=type)[0] == client


@pytest.mark.parametrize("trusted", [PROXIES, EVERYONE])
@pytest.mark.parametrize("forwarded", UNREADABLE)
def test_what_cannot_be_read_changes_nothing(trusted, forwarded):
    if trusted == EVERYONE:  # who asks for the first alone
        forwarded = forwarded.removeprefix(f"{CLIENT},").strip()
    assert told(trusted, PROXY, [forwarded], ["https"]) == ((PROXY, 5000), "https")


@pytest.mark.parametrize(("proto", "scheme", "socket_scheme"), SCHEMES)
def test_scheme(proto, scheme, socket_scheme):
    assert told(PROXIES, PROXY, [], proto) == ((PROXY, 5000), scheme)
    assert told(EVERYONE, None, [], proto) == (None, scheme)
    assert told(PROXIES, PROXY, [CLIENT], proto, "websocket") == ((CLIENT, 0), socket_scheme)
    assert told(PROXIES, STRANGER, [CLIENT], proto, "websocket") == ((STRANGER, 5000), "ws")


def test_the_rest_goes_through_untouched():
    scope = {"type": "lifespan"}
    application = ProxyHeaders(lambda *arguments: arguments, EVERYONE)
    assert application(scope, 1, 2) == (scope, 1, 2)


def test_where_no_socket_can_be(tmp_path):
    file = tmp_path / "file"
    file.write_text("kept")
    for path, reason in (
        (file, "There is something else"),
        (file / "socket", "Not a directory"),
        (tmp_path / "nowhere" / "socket", "No such folder"),
        (tmp_path / ("long" * 50), "AF_UNIX path too long"),
    ):
        with pytest.raises(SystemExit, match=rf"{reason}\. Set UNIX_SOCKET"):
            check_socket(path)
    assert file.read_text() == "kept"
