"""Reads a page that a user has named, and nothing else: a guard against forged requests (SSRF, see OWASP).

Only hosts that PROBLEMS_ALLOWED_HOSTS names are asked, over HTTP or HTTPS, and only if all their addresses
are public; the connection goes to those very addresses. A redirect may lead to the same host alone.
"""

import asyncio
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from html import unescape
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from django.conf import settings

SECONDS = 10  # for all of it
MOST_BYTES = 2 * 1024 * 1024
REDIRECTS = 3
TYPES = ("text/", "application/xhtml+xml", "application/json")
PORTS = {"http": 80, "https": 443}
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
ASKING = ThreadPoolExecutor(4, "dns")  # a loop that ends would wait for its own, and name servers may hang
INTERNET = IPv6Network("2000::/3")  # of IPv6; nothing else has been given out


class NotFetched(Exception):
    """Why a page was not read; a code and a sentence for the user."""

    def __init__(self, code: str, detail: str):
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


PRIVATE = NotFetched("private_address", "The address leads into a private network, where nobody looks.")


def check_url(url: str) -> str:
    """Return the host that an address names, if it may be asked; raises `NotFetched`."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise NotFetched("bad_url", "That is no address of a page.") from None
    if parts.scheme not in PORTS or not host or parts.username is not None or not url.isprintable():
        raise NotFetched("bad_url", "Give an address such as https://example.com/problems/1.")
    if f"{host}:{port or PORTS[parts.scheme]}" in settings.PROBLEMS_ALLOWED_HOSTS:
        return host
    allowed = any(_names(entry, host) for entry in settings.PROBLEMS_ALLOWED_HOSTS)
    if not allowed or port not in (None, PORTS[parts.scheme]):
        raise NotFetched("host_not_allowed", f"{host} is not among PROBLEMS_ALLOWED_HOSTS.")
    if _is_address(host) and not is_public(host):  # which no resolver is asked for
        raise PRIVATE
    return host


def _names(entry: str, host: str) -> bool:
    return host.endswith(entry) if entry.startswith(".") else host == entry


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet, whatever it is wrapped in."""
    ip: IPv4Address | IPv6Address | None = ip_address(address)
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in NAT64:
            inner = IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inner or (ip if ip in INTERNET else None)
    return bool(ip and ip.is_global and not ip.is_multicast)


async def fetch(url: str) -> str:
    """Return the text of the page at an address; raises `NotFetched`."""
    try:
        async with asyncio.timeout(SECONDS):
            return await _fetch(url, check_url(url))
    except TimeoutError:
        raise NotFetched("too_slow", f"The page was not read within {SECONDS} s.") from None
    except (aiohttp.ClientError, OSError, UnicodeError, ValueError) as error:
        if isinstance(error.__cause__, NotFetched):
            raise error.__cause__ from None
        raise NotFetched("unreachable", f"The page could not be read: {type(error).__name__}.") from None


async def _fetch(url: str, host: str) -> str:
    connector = aiohttp.TCPConnector(resolver=_Resolver(), use_dns_cache=False, limit=1)
    headers = {"Accept": "text/html, text/plain", "Accept-Encoding": "identity", "User-Agent": "problems"}
    async with aiohttp.ClientSession(
        connector=connector, headers=headers, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        for _ in range(REDIRECTS + 1):
            async with session.get(url, allow_redirects=False) as answer:
                if not 300 <= answer.status < 400:
                    return await _read(answer)
                url = urljoin(url, answer.headers.get("Location", ""))
                if check_url(url) != host:
                    raise NotFetched("redirected", "The page leads to another host, where nobody looks.")
    raise NotFetched("redirected", f"The page leads on more than {REDIRECTS} times.")


async def _read(answer: aiohttp.ClientResponse) -> str:
    if answer.status != 200:
        raise NotFetched("no_page", f"The page answers {answer.status}.")
    kind = answer.content_type
    if not kind.startswith(TYPES) or answer.headers.get("Content-Encoding", "identity") != "identity":
        raise NotFetched("no_text", f"The page is no plain text: {kind:.50}.")
    data = bytearray()
    async for part in answer.content.iter_chunked(65_536):
        data += part
        if len(data) > MOST_BYTES:
            raise NotFetched("too_big", f"The page has more than {MOST_BYTES} bytes.")
    text = data.decode(_encoding(answer), errors="replace")
    return to_text(text) if "html" in kind else text


def _encoding(answer: aiohttp.ClientResponse) -> str:
    try:
        return answer.charset if answer.charset and "a".encode(answer.charset) == b"a" else "utf-8"
    except LookupError:
        return "utf-8"


class _Resolver(AbstractResolver):
    """Finds a host's addresses once; if one of them is not public there is none."""

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[Any]:
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(ASKING, ask)
        addresses = list(dict.fromkeys((kind, str(address[0])) for kind, *_, address in found))
        named = f"{host}:{port}" in settings.PROBLEMS_ALLOWED_HOSTS
        if not named and not all(is_public(address) for _, address in addresses):
            raise PRIVATE
        same = {"hostname": host, "port": port, "proto": 0, "flags": socket.AI_NUMERICHOST}
        return [{**same, "host": address, "family": kind} for kind, address in addresses]

    async def close(self) -> None: ...


# Takes a time that grows with the page's length alone; with html.parser some pages of 2 MiB take hours.
TAG = re.compile(r"<!--|-->|<(/?[a-z][a-z0-9]*+)[^<>]*+>|<[!?][^<>]*+>", re.IGNORECASE)
HIDDEN = {name: f"/{name}" for name in ("script", "style", "template", "noscript", "svg")} | {"<!--": "-->"}
BLOCKS = ("p", "div", "br", "li", "tr", "pre", "h1", "h2", "h3", "h4", "section", "table")


def to_text(page: str) -> str:
    """Return what a page of HTML says, line by line."""
    said: list[str] = []
    start, hidden_until = 0, ""
    for tag in TAG.finditer(page):
        name = (tag[1] or tag[0]).lower()
        if not hidden_until:
            said += page[start : tag.start()], "\n" * (name in BLOCKS)
            hidden_until = HIDDEN.get(name, "") if not tag[0].endswith("/>") else ""
        elif name == hidden_until:
            hidden_until = ""
        start = tag.end()
    if not hidden_until:
        said.append(page[start:])
    lines = (line.strip() for line in unescape("".join(said)).splitlines())
    return "\n".join(line for line in lines if line)
