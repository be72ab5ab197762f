"""OpenAI's Responses API, which other servers speak as well; nothing is stored there."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from integrations.llm.http import HttpProvider, Request, failure_inside
from integrations.llm.provider import Finished, Message, Usage

SMALLEST = 16  # tokens that an answer has to be allowed


class Details(msgspec.Struct):
    reason: str | None = None


class Error(msgspec.Struct):
    code: str | None = None


class Response(msgspec.Struct):
    usage: Usage | None = None
    incomplete_details: Details | None = None
    error: Error | None = None


class Event(msgspec.Struct):
    type: str
    delta: Any = None
    response: Response | None = None
    code: str | None = None


decode = msgspec.json.Decoder(Event).decode


class OpenAI(HttpProvider):
    variables = "OPENAI"

    def request(self, messages: Sequence[Message], max_tokens: int, schema: dict | None) -> Request:
        body = {
            "model": self.model,
            "input": [{"role": message.role, "content": message.text} for message in messages],
            "max_output_tokens": max(max_tokens, SMALLEST),
            "store": False,
            "stream": True,
        }
        if schema:
            form = {"type": "json_schema", "name": "form", "schema": schema, "strict": True}
            body["text"] = {"format": form}
        return Request("/responses", {"Authorization": f"Bearer {self._key}"}, body)

    def reader(self) -> Callable[[bytes], Iterator[str | Finished]]:
        refused = False

        def read(data: bytes) -> Iterator[str | Finished]:
            nonlocal refused
            if data == b"[DONE]":
                return
            event = decode(data)
            response = event.response or Response()
            match event.type:
                case "response.output_text.delta" if isinstance(event.delta, str):
                    yield event.delta
                case "response.refusal.delta" if isinstance(event.delta, str):
                    refused = True
                    yield event.delta
                case "response.completed":
                    yield Finished("refused" if refused else "stop", response.usage)
                case "response.incomplete":
                    filtered = response.incomplete_details == Details("content_filter")
                    yield Finished("refused" if filtered else "length", response.usage)
                case "response.failed" | "error":
                    raise failure_inside(response.error.code if response.error else event.code)

        return read
