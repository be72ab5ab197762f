"""Pages come from a real server on this machine, which only its port's own entry lets be asked."""

import asyncio
import socket
from contextlib import closing, suppress
from threading import Event

import pytest

from problems import fetching
from problems.fetching import NotFetched, check_url, fetch, is_public, to_text

PAGE = "<html><style>p {}</style><h1>Sum</h1><p>Two &amp; three<script>alert()</script></html>"


@pytest.fixture
async def site(settings):
    """A server whose answers the test says, by path; yields them, and its address."""
    answers, tasks = {}, []

    async def answer(reader, writer):
        tasks.append(asyncio.current_task())
        with closing(writer), suppress(OSError):
            path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
            if answers[path] is None:
                await asyncio.sleep(60)
            writer.write(answers[path])
            await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings.PROBLEMS_ALLOWED_HOSTS = ["example.com", ".example.org", f"127.0.0.1:{port}"]
    yield answers, f"http://127.0.0.1:{port}"
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # in which connections close


def page(body, kind="text/html", status="200 OK", more=""):
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Connection: close\r\n\r\n{body}".encode()


async def refused(url):
    with pytest.raises(NotFetched) as refusal:
        await fetch(url)
    return refusal.value.code


async def test_the_text_of_a_page(site):
    answers, url = site
    answers["/a"] = page("", status="302 Found", more="Location: /b\r\n")
    answers["/b"] = page(PAGE)
    answers["/c"] = page("<b>as it is</b>", "text/plain; charset=nonsense")
    assert await fetch(f"{url}/a") == "Sum\nTwo & three"
    assert await fetch(f"{url}/c") == "<b>as it is</b>"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (page("", status="302 Found", more="Location: http://example.com/\r\n"), "redirected"),
        (page("", status="302 Found", more="Location: http://169.254.169.254/\r\n"), "host_not_allowed"),
        (page("", status="302 Found", more="Location: file:///etc/passwd\r\n"), "bad_url"),
        (page("", status="302 Found", more="Location: /x\r\n"), "redirected"),
        (page("", status="500 Oops"), "no_page"),
        (page("x", "image/png"), "no_text"),
        (page("x", more="Content-Encoding: gzip\r\n"), "no_text"),
        (page("x" * (fetching.MOST_BYTES + 1)), "too_big"),
        (page("x", more="Content-Length: 1000\r\n"), "unreachable"),
        (b"rubbish\r\n\r\n", "unreachable"),
        (None, "too_slow"),
    ],
)
async def test_what_is_no_page(site, said, code, monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS", 0.2 if said is None else 10)
    answers, url = site
    answers["/x"] = said
    assert await refused(f"{url}/x") == code


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://169.254.169.254/latest/meta-data/", "host_not_allowed"),
        ("http://127.0.0.1/", "host_not_allowed"),
        ("http://[::1]/", "host_not_allowed"),
        ("http://2130706433/", "host_not_allowed"),
        ("https://example.com.evil.net/", "host_not_allowed"),
        ("https://evilexample.com/", "host_not_allowed"),
        ("https://example.org/", "host_not_allowed"),
        ("https://example.com:6379/", "host_not_allowed"),
        ("https://user@example.com/", "bad_url"),
        ("https://example.com:port/", "bad_url"),
        ("ftp://example.com/", "bad_url"),
        ("file:///etc/passwd", "bad_url"),
        ("example.com", "bad_url"),
        ("http://example.com/\r\nHost: x", "bad_url"),
    ],
)
async def test_what_is_not_asked(site, url, code):
    assert await refused(url) == code


def test_what_may_be_asked(settings):
    settings.PROBLEMS_ALLOWED_HOSTS = ["example.com", ".example.org", "8.8.8.8", "10.0.0.7"]
    for url in ("https://Example.com/a", "http://www.example.org:80/", "https://8.8.8.8/"):
        assert check_url(url)
    with pytest.raises(NotFetched, match="private network"):
        check_url("http://10.0.0.7/")


@pytest.mark.parametrize("second", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "64:ff9b::7f00:1"])
async def test_a_host_that_leads_into_a_private_network_is_not_asked(site, second, monkeypatch):
    """Its addresses are looked up once; one of them is enough."""
    asked = []

    def resolve(host, port, *arguments, **options):
        asked.append(host)
        kinds = {ip: socket.AF_INET6 if ":" in ip else socket.AF_INET for ip in ("93.184.216.34", second)}
        return [(kind, socket.SOCK_STREAM, 6, "", (ip, port)) for ip, kind in kinds.items()]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert await refused("https://example.com/") == "private_address"
    assert asked == ["example.com"]


def test_name_servers_that_hang_are_not_waited_for(settings, monkeypatch):
    settings.PROBLEMS_ALLOWED_HOSTS = ["example.com"]
    monkeypatch.setattr(fetching, "SECONDS", 0.1)
    over, answers = Event(), []

    def hang(*arguments, **options):
        over.wait(20)
        answers.append([])
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with pytest.raises(NotFetched) as refusal:
        asyncio.run(fetch("https://example.com/"))
    assert (refusal.value.code, answers) == ("too_slow", [])
    over.set()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("0.0.0.1", False),
        ("224.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::808:808", True),
        ("::7f00:1", False),
        ("fec0::1", False),
    ],
)
def test_which_addresses_are_public(address, public):
    assert is_public(address) is public


def test_a_page_s_text_whatever_its_tags():
    assert to_text("<div>a<br>b</div></script><p>c<svg><title>d</title></svg>") == "a\nb\nc"
    assert to_text("<!DOCTYPE html><!-- <p>a --><SCRIPT>1<2</SCRIPT><svg/>b &lt; 1 < 2<p") == "b < 1 < 2<p"


def test_a_page_that_some_parsers_take_hours_for():
    assert to_text("<a " * 700_000) == ("<a " * 700_000).strip()
    assert to_text("<!--" * 500_000) == ""
