"""Google's Gemini API, version 1."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from integrations.llm.http import HttpProvider, Request, failure_inside
from integrations.llm.provider import Finished, Message, Reason, Usage

# Any other is of content that was filtered.
REASONS: dict[str, Reason] = {"STOP": "stop", "MAX_TOKENS": "length"}


class Part(msgspec.Struct):
    text: str = ""
    thought: bool = False


class Content(msgspec.Struct):
    parts: list[Part] = []


class Candidate(msgspec.Struct, rename="camel"):
    content: Content | None = None
    finish_reason: str | None = None


class Counts(msgspec.Struct, rename="camel"):
    prompt_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0


class Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class Error(msgspec.Struct):
    status: str | None = None


class Event(msgspec.Struct, rename="camel"):
    candidates: list[Candidate] = []
    usage_metadata: Counts | None = None
    prompt_feedback: Feedback | None = None
    error: Error | None = None

    @property
    def usage(self) -> Usage | None:
        counts = self.usage_metadata
        if counts is None:
            return None
        return Usage(counts.prompt_token_count, counts.candidates_token_count + counts.thoughts_token_count)


decode = msgspec.json.Decoder(Event).decode


class Gemini(HttpProvider):
    variables = "GEMINI"

    def request(self, messages: Sequence[Message], max_tokens: int, schema: dict | None) -> Request:
        roles = {"user": "user", "assistant": "model"}
        limits = {"maxOutputTokens": max_tokens}
        form = {"responseMimeType": "application/json", "responseJsonSchema": schema} if schema else {}
        body = {
            "contents": [
                {"role": roles[message.role], "parts": [{"text": message.text}]} for message in messages
            ],
            "generationConfig": limits | form,
        }
        path = f"/models/{self.model}:streamGenerateContent?alt=sse"
        return Request(path, {"x-goog-api-key": self._key}, body)

    def reader(self) -> Callable[[bytes], Iterator[str | Finished]]:
        return read


def read(data: bytes) -> Iterator[str | Finished]:
    event = decode(data)
    if event.error:
        raise failure_inside(event.error.status)
    for candidate in event.candidates[:1]:
        for part in candidate.content.parts if candidate.content else ():
            if part.text and not part.thought:
                yield part.text
        if candidate.finish_reason:
            yield Finished(REASONS.get(candidate.finish_reason, "refused"), event.usage)
    if event.prompt_feedback and event.prompt_feedback.block_reason:
        yield Finished("refused", event.usage)
