"""What `manage.py test_websocket` looks at, as a client from outside sees it.

A check returns what there is to say, or raises `Problem`. Each has its time limit, whatever hangs.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from importlib import import_module
from os import urandom
from threading import Thread
from typing import Any

from channels.layers import get_channel_layer
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http.request import validate_host
from django.utils.module_loading import module_has_submodule
from websockets.exceptions import ConnectionClosed

from realtime.cache import cache
from realtime.consumer import DOCTOR
from realtime.credentials import authenticator
from realtime.doctor_client import SECONDS, Problem, Site, described
from realtime.events import text_event

HEALTH = "/api/health/"
HEARTBEAT = settings.REALTIME["HEARTBEAT"]


class Doctor:
    """The checks of the site at an address; `idle` is for how many seconds a socket is to be silent.

    An app's doctor.py may have more: `checks`, and of the site `site_checks`, which are given the doctor and
    `options`, what was asked for on the command line.
    """

    def __init__(self, url: str, idle: float, **options: Any):
        self.site = Site(url)
        self.idle_seconds = idle
        self.user: Any = None  # as whom to log in
        self.proof: dict[str, str] = {}
        self.seen: dict[str, str] = {}
        # Name, what has to be well before, check.
        self.checks: list[tuple[str, set[str], Callable[[], str]]] = [
            ("database", set(), self.database),
            ("cache", set(), self.cache),
            ("channel layer", set(), self.channel_layer),
            ("login", {"database"}, self.login),
            ("server", set(), self.server),
            ("handshake", {"login", "server"}, self.handshake),
            ("proxy headers", {"handshake"}, self.proxy_headers),
            ("echo", {"handshake"}, self.echo),
            ("event from here", {"channel layer", "echo"}, self.event),
        ]
        for module in doctors():
            more = getattr(module, "checks", {})
            self.checks += [(name, set(), check) for name, check in more.items()]
            if hasattr(module, "site_checks"):
                of_site = module.site_checks(self, **options)
                self.checks += [(name, {"handshake"}, check) for name, check in of_site.items()]
        if idle:
            self.checks.append((f"{idle:g} s of silence", {"echo"}, self.idle))

    def examine(self) -> Iterator[tuple[str, bool | None, str]]:
        """Yield the name of each check, whether all was well (None: not tried), and what there is to say."""
        wrong: set[str] = set()
        for name, needed, check in self.checks:
            if missing := needed & wrong:
                wrong.add(name)
                yield name, None, f"not tried, because of {', '.join(sorted(missing))}"
                continue
            try:
                yield name, True, within(3 * SECONDS + self.idle_seconds, check) or "ok"
            except Exception as error:
                wrong.add(name)
                unknown = f"{described(error)}. The server's log may say more."
                yield name, False, str(error) if isinstance(error, Problem) else unknown

    # What this command and the server share

    def database(self) -> str:
        own = connection.copy()
        own.settings_dict["OPTIONS"].pop("pool", None)  # which waits longer, and does not say what for
        try:
            executor = MigrationExecutor(own)
            missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except Exception as error:
            raise Problem(f"{described(error)}. Is DATABASE_URL right, and does what it names run?") from None
        finally:
            own.close()
        if missing:
            raise Problem(f"{len(missing)} migrations are not applied. Run `manage.py migrate`.")
        return ""

    def cache(self) -> str:
        key = f"doctor:{urandom(8).hex()}"
        try:
            cache.set(key, "ok", 10)
            kept = cache.get(key)
            cache.delete(key)
        except Exception as error:
            cure = "Does that which CACHES in the settings names run, and where it says?"
            raise Problem(f"{described(error)}. {cure}") from None
        if kept != "ok":
            raise Problem("it forgets at once what it is given. Is it full?")
        return ""

    def channel_layer(self) -> str:
        try:
            asyncio.run(self._through_the_layer())
        except Exception as error:  # each layer has its own
            cure = "Does that which CHANNEL_LAYERS in the settings names run, and where it says?"
            raise Problem(f"{described(error)}. {cure}") from None
        return ""

    async def _through_the_layer(self) -> None:
        layer = get_channel_layer()
        async with asyncio.timeout(SECONDS):
            channel = await layer.new_channel()
            await layer.group_add("doctor", channel)
            await layer.group_send("doctor", {"type": "doctor"})
            await layer.receive(channel)
            await layer.group_discard("doctor", channel)

    def login(self) -> str:
        self.user = get_user_model().objects.filter(is_active=True).order_by("pk").first()
        if self.user is None:
            raise Problem("there is no user to log in as. `manage.py createdemo` makes some.")
        self.proof = log_in(self.user)
        return ""

    # The server, through whatever stands before it

    def server(self) -> str:
        status, location, body = self.site.ask(HEALTH)
        try:
            checks = json.loads(body)["checks"]
        except (ValueError, KeyError, TypeError):
            raise Problem(self.no_health(status, location)) from None
        if status != 200:
            bad = "; ".join(f"{name}: {result}" for name, result in checks.items() if result != "ok")
            raise Problem(f"it says that it is not well ({bad}). Its log says more.")
        return ""

    def no_health(self, status: int, location: str) -> str:
        """Why that was not the answer of a server of this project."""
        if location:
            return f"{HEALTH} leads to {location} ({status}). {cure_for(location)}"
        if status in (502, 503, 504):
            return f"{status}: the proxy does not reach the server. Does that run, and where the proxy says?"
        where = f"{self.site.name}{self.site.folder}{HEALTH}"
        return f"{where} answers {status}, so something else is there. Give the right --url."

    def handshake(self) -> str:
        origin = self.site.origin(self.site.secure)
        status, location, _ = self.site.upgrade(DOCTOR, origin, self.proof)
        if status == 403:
            raise Problem(self.why_refused(origin))
        if status in (502, 503, 504):
            raise Problem(self.no_health(status, ""))
        if "login" in location:
            raise Problem(f"it leads to {location}. {cure_for(location)}")
        if status != 101:
            raise Problem(
                f"{status} instead of 101, as for a page. The proxy has to pass on the headers Upgrade and"
                " Connection, by HTTP/1.1."
            )
        self.site.open(DOCTOR, origin, self.proof)
        self.seen = self.site.receive("seen")
        return ""

    def why_refused(self, origin: str) -> str:
        if not validate_host(self.site.host, settings.ALLOWED_HOSTS):
            return (
                f"Origin {origin} is refused, since ALLOWED_HOSTS does not have {self.site.host}. Add it, or"
                " give the address that browsers use, as --url https://example.com."
            )
        other = self.site.origin(not self.site.secure)
        if self.site.upgrade(DOCTOR, other, self.proof)[0] == 101:
            return (
                f"Origin {origin} is refused, since the server takes this for {other}. The proxy has to send"
                " X-Forwarded-Proto, and FORWARDED_ALLOW_IPS has to have the address of the proxy."
            )
        return (
            f"Origin {origin} is refused: the server was asked for another host. The proxy has to pass on"
            " Host as it comes, with the port."
        )

    def proxy_headers(self) -> str:
        client, forwarded = self.seen["client"], self.seen["forwarded"]
        if forwarded and not any(client in hop for hop in forwarded.split(",")):
            raise Problem(
                f"the server does not believe the proxy at {client}, so all who come through it have its"
                f" address in the limits. Set FORWARDED_ALLOW_IPS={client}."
            )
        if self.site.secure and not forwarded:
            raise Problem(
                f"the server takes all clients for {client}, the proxy. That has to send X-Forwarded-For."
            )
        if self.site.secure != (self.seen["scheme"] == "wss"):
            raise Problem("the server does not know of TLS. The proxy has to send X-Forwarded-Proto.")
        return f"ok, the server sees {client} over {'https' if self.site.secure else 'http'}"

    def echo(self) -> str:
        start = time.monotonic()
        self.site.socket.send('{"type": "ping"}')
        self.site.receive("pong")
        return f"ok, {(time.monotonic() - start) * 1000:.0f} ms"

    def event(self) -> str:
        """Publish to the socket: this is another process than the one that has it."""
        token = urandom(8).hex()
        event = text_event({"type": "examined", "token": token})
        start = time.monotonic()
        try:
            asyncio.run(self._publish(f"doctor.{self.user.pk}", event))
        except Exception as error:
            raise Problem(f"the channel layer did not take it: {described(error)}") from None
        try:
            while self.site.receive("examined")["token"] != token:
                pass
        except TimeoutError:
            cure = "Do the server and this command have the same channel layer, with the same prefix?"
            raise Problem(f"it did not arrive within {SECONDS} s. {cure}") from None
        return f"ok, {(time.monotonic() - start) * 1000:.0f} ms"

    async def _publish(self, group: str, event: dict) -> None:
        async with asyncio.timeout(SECONDS):
            await get_channel_layer().group_send(group, event)

    def idle(self) -> str:
        start = time.monotonic()
        try:
            self.site.receive("nothing of the kind", self.idle_seconds)
        except TimeoutError:
            self.echo()
            return ""
        except Problem as problem:
            if not isinstance(problem.__cause__, ConnectionClosed) or problem.__cause__.rcvd:
                raise
            raise Problem(
                f"cut after {time.monotonic() - start:.0f} s: something on the way closes what is silent."
                f" Raise its idle timeout; clients that ping every {HEARTBEAT} s, as they are told to,"
                " stay all the same."
            ) from None
        return ""


def doctors() -> Iterator[Any]:
    """Yield the doctor.py of each app that has one, but for this."""
    for app in apps.get_app_configs():
        if app.name != "realtime" and module_has_submodule(app.module, "doctor"):
            yield import_module(f"{app.name}.doctor")


def log_in(user: Any) -> dict[str, str]:
    """Return the headers with which a client opens a socket as a user."""
    *_, path = settings.REALTIME["AUTHENTICATION"]  # before it stands what rests on a login
    kind: Any = authenticator(path)
    return kind.log_in(user)


def cure_for(location: str) -> str:
    if "login" in location:
        return f"Something asks for a login before the server does: let {HEALTH} and /ws/ pass."
    return "Give that address as --url, or see that the proxy sends X-Forwarded-Proto."


def within[T](seconds: float, check: Callable[[], T]) -> T:
    """Call a function in a thread that nobody waits for longer than so many seconds."""
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(check())
        except BaseException as error:
            result.set_exception(error)
        finally:
            connections.close_all()

    Thread(target=run, name="doctor", daemon=True).start()
    return result.result(seconds)
