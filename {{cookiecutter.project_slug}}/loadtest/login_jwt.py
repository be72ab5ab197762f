"""An access token, which many sockets share, and which is renewed while it lasts."""

import asyncio
import time

from loadtest.page import Page

RENEW_AFTER = 60  # seconds


class Login:
    def __init__(self, page: Page):
        self.page = page
        self.tokens: dict[str, str] = {}
        self.since = 0.0
        self.lock = asyncio.Lock()

    async def proof(self):
        return {"protocols": ["bearer", await self.token()]}

    async def token(self):
        """Return a token that lasts; the old one may be over when a socket comes back."""
        async with self.lock:
            if not self.tokens:
                user = {"username": self.page.name, "password": self.page.password}
                answer = await self.page.attempt("POST", "/api/token/", json=user)
            elif time.monotonic() - self.since > RENEW_AFTER:
                refresh = {"refresh": self.tokens["refresh"]}
                answer = await self.page.ask("POST", "/api/token/refresh/", json=refresh)
            else:
                return self.tokens["access"]
            if answer.status != 200:
                self.page.fail(answer, refused=answer.status == 401)
            self.tokens |= answer.json()
            self.since = time.monotonic()
            return self.tokens["access"]
