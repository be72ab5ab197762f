"""The cookie of a session."""

from loadtest.page import Page


class Login:
    def __init__(self, page: Page):
        self.page = page

    async def proof(self):
        await self.page.log_in()
        return {"headers": {"Cookie": self.page.cookie}}
