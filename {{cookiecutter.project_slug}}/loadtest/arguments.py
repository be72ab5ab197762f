"""What `make loadtest ARGS="..."` takes."""

import argparse
import os
import resource
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from loadtest.login import WAYS

EPILOG = """
The site has to agree: set LOADTEST_TOKEN there and here (in the environment or in .env) to the same 32 or
more random characters, and make users there: `manage.py loadtest_users 10`. When all is over,
`manage.py loadtest_users 0` removes them with what they wrote; then unset LOADTEST_TOKEN.

Ends with status 0; with 1 if a limit (--max-...) was missed, or the site was away for too long; with 2 if
there was no test; with 130 after Ctrl+C.
"""
REPORT = Path("loadtest.html")
OPEN_FILES = 100  # besides sockets


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="loadtest",
        usage='make loadtest ARGS="[--url URL] [--sockets N] [--rate N] [--seconds N] [--ramp N] ..."',
        description="Puts a site under load: users log in, and open sockets that behave as those of a page.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--url", type=site, default=f"http://{settings.HOST}:{settings.PORT}", help="the site (%(default)s)")
    add("--sockets", type=whole(1), default=100, help="how many are to be open (%(default)s)")
    add("--rate", type=number(0), default=10, help="messages a second, by all of them (%(default)s)")
    add("--seconds", type=number(1), default=30, help="for how long messages are sent (%(default)s)")
    add("--ramp", type=number(0), default=10, help="seconds in which logins and sockets begin (%(default)s)")
    add("--audience", type=whole(1), default=10, help="sockets that get each message (%(default)s)")
    add("--users", type=whole(1), help="how many log in (as many as it takes, or 10)")
    add("--by", choices=WAYS, default=WAYS[-1], help="how sockets prove who they are (%(default)s)")
    add("--path", type=path, help="open sockets there alone, such as /ws/polls/, and send pings")
    add("--ca", type=Path, metavar="FILE", help="certificates to trust instead of this system's")
    add("--give-up", type=number(1), default=30, help="seconds without a socket until it ends (%(default)s)")
    add("--report", type=Path, default=REPORT, metavar="FILE", help="where the report goes (%(default)s)")
    limits = parser.add_argument_group("limits, which make the status 1 when they are missed")
    for name, what in LIMITS.items():
        limits.add_argument(f"--max-{name}", type=number(0), help=what)
    options = parser.parse_args(arguments)
    allow_sockets(options.sockets, parser.error)
    if options.report.is_dir() or not os.access(options.report.parent, os.W_OK):
        parser.error(f"--report: {options.report} is no file that you may write")
    return options


LIMITS = {
    "p99-ms": "milliseconds from sending to receipt, for 99 of 100 deliveries",
    "reply-ms": "milliseconds from a frame to its reply, for 99 of 100",
    "handshake-ms": "milliseconds until a socket is open, for 99 of 100",
    "errors": "errors of all kinds",
    "lost": "deliveries that did not come",
    "reconnects": "sockets that had to come back",
}


def site(text: str) -> str:
    try:
        parts = urlsplit(text)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/")
        parts.port  # noqa: B018  (raises for one that is none)
    except ValueError:
        right = False
    if not right or parts.query or parts.fragment or "@" in parts.netloc:
        raise argparse.ArgumentTypeError(f"{text!r} is no site; give it as https://www.example.com")
    host = str(parts.hostname)
    host = f"[{host}]" if ":" in host else host
    usual = parts.port in (None, {"http": 80, "https": 443}[parts.scheme])
    return f"{parts.scheme}://{host}" + f":{parts.port}" * (not usual)


def path(text: str) -> str:
    if not text.startswith("/") or "?" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no path; give it as /ws/polls/")
    return text


def number(least: float, kind: Callable = float) -> Callable[[str], float]:
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = -1
        if not least <= value < 1e9:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of {least} or more")
        return value

    return parse


def whole(least: int) -> Callable[[str], float]:
    return number(least, int)


def allow_sockets(sockets: int, refuse: Callable[[str], object]) -> None:
    """Raise the limit on open files as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = sockets + OPEN_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        refuse(f"--sockets: a process may open {hard} files here; as root, `ulimit -Hn {needed}` raises that")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
