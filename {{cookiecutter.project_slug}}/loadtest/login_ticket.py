"""A ticket for each socket, which a page fetches with its session."""

from loadtest.page import Page
from loadtest.problems import Failed


class Login:
    def __init__(self, page: Page):
        self.page = page

    async def proof(self):
        answer = await self.page.post("/api/ws-ticket/")
        if answer.status != 200:
            raise Failed(f"ticket: HTTP {answer.status}")
        return {"params": {"ticket": answer.json()["ticket"]}}
