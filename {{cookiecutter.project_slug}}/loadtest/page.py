"""A user's session in a browser: the login, and what else is sent from pages."""

import asyncio
import time

from django.conf import settings

from loadtest.entrance import BEFORE, DONE, FORMAT, LOGIN, REFUSED
from loadtest.measures import Figures
from loadtest.problems import Failed
from loadtest.site import Answer, Site

TOO_MANY = 429
AT_ONCE = 4  # logins, each of which keeps a core of the site busy for half a second
RETRY = 2  # seconds; a proxy in front may let in one in that time, after the first few
LOGIN_WITHIN = 120


class Refused(Failed):
    """The site does not know this user, or this password; trying again would count as guessing."""


class Page:
    turns = asyncio.Semaphore(AT_ONCE)

    def __init__(self, site: Site, name: str, password: str, figures: Figures):
        self.site, self.name, self.password, self.figures = site, name, password, figures
        self.cookies: dict[str, str] = {}
        self.refused = False
        self.lock = asyncio.Lock()

    async def log_in(self) -> None:
        """Log in, unless that is done."""
        async with self.lock:
            if settings.SESSION_COOKIE_NAME not in self.cookies:
                await self.ask("GET", BEFORE)
                known = {"username": self.name, "password": self.password}
                answer = await self.attempt("POST", LOGIN, **{FORMAT: known})
                if answer.status != DONE:
                    self.fail(answer, refused=answer.status == REFUSED)

    async def post(self, path: str, **fields: str) -> Answer:
        """Submit a form as this user."""
        await self.log_in()
        return await self.ask("POST", path, data=fields)

    async def send(self, path: str, **fields: str) -> Answer:
        """Send JSON as this user."""
        await self.log_in()
        return await self.ask("POST", path, json=fields)

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def ask(self, method: str, path: str, **options) -> Answer:
        token = self.cookies.get(settings.CSRF_COOKIE_NAME, "")
        headers = {"Cookie": self.cookie, "Referer": f"{self.site.url}{LOGIN}", "X-CSRFToken": token}
        try:
            answer = await self.site.request(method, path, headers=headers, **options)
        except Failed as failed:
            raise Failed(f"{path}: {failed}") from failed
        self.cookies |= answer.cookies
        return answer

    async def attempt(self, method: str, path: str, **options) -> Answer:
        """Send what logs in; if there are too many at a time, again in a moment."""
        if self.refused:
            raise Refused(f"login: {self.name} was refused")
        async with self.turns:
            give_up = time.perf_counter() + LOGIN_WITHIN
            while True:
                start = time.perf_counter()
                answer = await self.ask(method, path, **options)
                too_soon = answer.status == TOO_MANY and "Retry-After" not in answer.headers
                if not too_soon or start > give_up:
                    self.figures.logins.add(time.perf_counter() - start)
                    return answer
                self.figures.logins_put_off += 1
                await asyncio.sleep(RETRY)

    def fail(self, answer: Answer, *, refused: bool) -> None:
        if refused:
            self.refused = True
            raise Refused(f"login: {self.name} was refused")
        raise Failed(f"login: HTTP {answer.status}")
