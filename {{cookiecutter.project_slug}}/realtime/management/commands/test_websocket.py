"""Is the WebSocket side well? Looks at what it rests on, then at a running server, as a client does."""

import logging
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from realtime.doctor import Doctor, doctors


class Command(BaseCommand):
    help = "Checks what WebSockets need, from the database to the proxy, and says how to cure what is wrong."
    requires_system_checks = []  # what these say the server's log says as well

    def add_arguments(self, parser):
        where = f"http://{own_host()}:{settings.PORT}"
        parser.add_argument("--url", default=where, help=f"the site, as browsers reach it ({where})")
        parser.add_argument(
            "--idle", type=float, default=0, help="for how many seconds a socket is to be silent, such as 75"
        )
        for module in doctors():
            if hasattr(module, "add_arguments"):
                module.add_arguments(parser)

    def handle(self, url, idle, **options):
        if not is_address(url):
            raise CommandError(f"--url {url} is no address; write it as https://example.com.")
        if not 0 <= idle <= 500:
            raise CommandError("--idle is a number of seconds, 500 at most, such as --idle 75.")
        logging.disable()  # what is wrong is said here, in a line
        wrong = []
        for name, well, text in Doctor(url, idle, **options).examine():
            style = {True: str, None: self.style.WARNING, False: self.style.ERROR}[well]
            self.stdout.write(style(f"{name}: {text}"))
            if well is False:
                wrong.append(name)
        if wrong:
            raise CommandError(f"Not well: {', '.join(wrong)}.")


def own_host():
    """Where a server on this machine is reached that listens at HOST."""
    with suppress(ValueError):  # it is a name
        address = ip_address(settings.HOST)
        if address.is_unspecified:
            return "localhost"
        return f"[{address}]" if address.version == 6 else str(address)
    return settings.HOST


def is_address(url):
    with suppress(ValueError):  # also of a port that is none, and of a name that DNS cannot have
        site = urlsplit(url)
        name = (site.hostname or "").encode("idna")
        return site.scheme in ("http", "https", "ws", "wss") and bool(name) and site.port != 0
    return False
