"""A provider that needs no key: it says what it was told, word by word."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence

from integrations.llm.provider import Finished, Message, Usage


class Echo:
    """Answers with the last message, after a pause of so many seconds before each word."""

    def __init__(self, name: str = "echo", model: str = "echo", pause: float = 0.02):
        self.name = name
        self.model = model
        self.pause = pause

    async def stream(self, messages: Sequence[Message], *, max_tokens: int) -> AsyncGenerator[str | Finished]:
        words = re.findall(r"\s*\S+|\s+$", messages[-1].text)
        for word in words[:max_tokens]:
            await asyncio.sleep(self.pause)
            yield word
        read = sum(len(message.text.split()) for message in messages)
        usage = Usage(read, min(len(words), max_tokens))
        yield Finished("stop" if len(words) <= max_tokens else "length", usage)
