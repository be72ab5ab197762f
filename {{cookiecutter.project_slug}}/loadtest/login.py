"""How a user of the load test logs in, and what the user's sockets prove themselves with."""

from importlib import import_module
from typing import Any, Protocol

from django.conf import settings

from accounts.challenge import name_of, password_of
from loadtest.measures import Figures
from loadtest.page import Page
from loadtest.site import Site

# "session" and so on: for each kind of proof that counts here there is a module that gets it.
WAYS = [path.split(".")[1].removeprefix("auth_") for path in settings.REALTIME["AUTHENTICATION"]]


class Login(Protocol):
    def __init__(self, page: Page): ...

    async def proof(self) -> dict[str, Any]:
        """What to open a socket with, `headers`, `protocols` or `params`; logs in first. Raises Failed."""

    async def token(self) -> str:
        """A newer token, where a socket was opened with one."""


class User:
    """One of those that `manage.py loadtest_users` has made; logs in when that is needed."""

    def __init__(self, site: Site, number: int, way: str, figures: Figures):
        self.site, self.name, self.way, self.figures = site, name_of(number), way, figures
        self.forget()

    def forget(self) -> None:
        """Log in anew, the next time."""
        self.page = Page(self.site, self.name, password_of(self.name, settings.LOADTEST_TOKEN), self.figures)
        self.login: Login = import_module(f"loadtest.login_{self.way}").Login(self.page)
