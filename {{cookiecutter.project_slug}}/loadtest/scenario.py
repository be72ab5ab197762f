"""What the sockets of a load test do. An app has a `Scenario` of its own in its loadtest.py."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from config import collect
from loadtest.client import Client
from loadtest.login import User
from loadtest.problems import Problem
from realtime.asyncapi import is_ours
from realtime.routes import flatten


class Scenario:
    """One kind of sockets: where they are opened, what is said there, and who gets to hear it."""

    numbered: tuple[str, str] | None = None  # the type of what all get, and its field that has an id

    def __init__(self, sockets: int, audience: int):
        """`sockets` of this kind are to be open; so many should get each message, if that may be chosen."""

    def place(self, number: int, user: int) -> tuple[str, Any]:
        """Return the path of the socket with this number, from 0, and a name that its audience shares."""
        raise NotImplementedError

    async def prepare(self, user: User) -> None:
        """Do what comes before a user's first message, such as a further login."""

    async def send(self, client: Client, text: str) -> None:
        """Let a client do something that sends this text to its audience. Raises Failed."""
        raise NotImplementedError

    def text(self, frame: dict[str, Any]) -> str:
        """Return the text in a frame of the numbered type."""
        raise NotImplementedError


class Echo(Scenario):
    """Pings, which each socket answers."""

    def __init__(self, path: str):
        self.path = path

    def place(self, number, user):
        return self.path, number

    async def send(self, client, text):
        await client.request({"type": "ping"})


def scenarios(sockets: int, audience: int, path: str | None) -> Iterator[Scenario]:
    """Yield what each app has; if none has any, or a path is given, pings."""
    kinds = [module.Scenario for module in collect.modules("loadtest")]
    if path is not None or not kinds:
        yield Echo(path or plain_path())
        return
    for kind in kinds:
        yield kind(-(-sockets // len(kinds)), audience)


def plain_path() -> str:
    """Return the path of a WebSocket of this project that needs no parameter, and is not for staff."""
    *routes, _nowhere = flatten(import_module("config.routing").websocket_urlpatterns)
    for route in routes:
        if is_ours(route.consumer) and not route.parameters and not route.address.startswith("/ws/admin/"):
            return route.address
    raise Problem("This project has no WebSocket to open: `manage.py startconsumer polls` writes one.")
