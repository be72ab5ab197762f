"""What a load test does with the assistant: users send prompts, which the echo answers word by word."""

import asyncio

from assistant.demo import LOADTEST_SESSIONS
from loadtest.problems import Failed
from loadtest.scenario import Scenario as Base

TRIES, PAUSE = 20, 0.1  # while as many answers are written for the user as may be


class Scenario(Base):
    numbered = ("chat_message", "message_id")

    def place(self, number, user):
        return f"/ws/chat/session/{LOADTEST_SESSIONS[user]}/", user

    async def send(self, client, text):
        for attempt in range(TRIES):
            try:
                return await client.request({"type": "chat_message", "message": text, "providers": ["echo"]})
            except Failed as failed:
                if "too_many_answers" not in str(failed) or attempt == TRIES - 1:
                    raise
            await asyncio.sleep(PAUSE)

    def text(self, frame):
        return frame["message"]
