"""Anthropic's Messages API of 21 October 2026, which takes no temperature."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from integrations.llm.http import HttpProvider, Request, failure_inside
from integrations.llm.provider import Finished, Message, Reason, Usage

VERSION = "2026-10-21"
REASONS: dict[str | None, Reason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}


class Counts(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None


class Head(msgspec.Struct):
    usage: Counts


class Delta(msgspec.Struct):
    text: str | None = None
    stop_reason: str | None = None


class Error(msgspec.Struct):
    type: str = ""


class Event(msgspec.Struct):
    type: str
    message: Head | None = None
    delta: Delta | None = None
    usage: Counts | None = None
    error: Error | None = None


decode = msgspec.json.Decoder(Event).decode


class Anthropic(HttpProvider):
    variables = "ANTHROPIC"

    def request(self, messages: Sequence[Message], max_tokens: int, schema: dict | None) -> Request:
        body = {
            "model": self.model,
            "max_tokens": max_tokens,
            "messages": [{"role": message.role, "content": message.text} for message in messages],
            "stream": True,
        }
        if schema:
            body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        return Request("/v1/messages", {"x-api-key": self._key, "anthropic-version": VERSION}, body)

    def reader(self) -> Callable[[bytes], Iterator[str | Finished]]:
        counts = Counts(0, 0)
        reason: Reason = "stop"

        def read(data: bytes) -> Iterator[str | Finished]:
            nonlocal reason
            event = decode(data)
            usage = event.usage or (event.message and event.message.usage) or Counts()
            counts.input_tokens = usage.input_tokens or counts.input_tokens
            counts.output_tokens = usage.output_tokens or counts.output_tokens
            match event.type:
                case "content_block_delta" if event.delta and event.delta.text:
                    yield event.delta.text
                case "message_delta" if event.delta:
                    reason = REASONS.get(event.delta.stop_reason, reason)
                case "message_stop":
                    yield Finished(reason, Usage(counts.input_tokens or 0, counts.output_tokens or 0))
                case "error":
                    raise failure_inside(event.error.type if event.error else None)

        return read
