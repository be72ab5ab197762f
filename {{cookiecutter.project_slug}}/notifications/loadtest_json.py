"""What a load test does with notifications: users send some to themselves, as pages ask for them."""

from loadtest.problems import Failed
from loadtest.scenario import Scenario as Base


class Scenario(Base):
    numbered = ("notification", "notification_id")

    def place(self, number, user):
        return "/ws/notifications/", user

    async def prepare(self, user):
        await user.page.log_in()

    async def send(self, client, text):
        answer = await client.user.page.send("/api/notifications/test/", message=text)
        if answer.status != 200:
            raise Failed(f"notification: HTTP {answer.status}")

    def text(self, frame):
        return frame["data"].get("message", "")
