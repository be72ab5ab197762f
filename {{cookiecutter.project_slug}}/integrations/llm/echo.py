"""A provider that needs no key: it says what it was told, word by word."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence

from integrations.llm.provider import Finished, Message, Usage

PAUSE = 0.02  # seconds between two words


class Echo:
    """Answers with the last message."""

    def __init__(self, name: str = "echo", model: str = "echo"):
        self.name = name
        self.model = model

    async def stream(self, messages: Sequence[Message], *, max_tokens: int) -> AsyncIterator[str | Finished]:
        words = re.findall(r"\s*\S+|\s+$", messages[-1].text)
        for word in words[:max_tokens]:
            await asyncio.sleep(PAUSE)
            yield word
        read = sum(len(message.text.split()) for message in messages)
        reason = "stop" if len(words) <= max_tokens else "length"
        yield Finished(reason=reason, usage=Usage(read, min(len(words), max_tokens)))
