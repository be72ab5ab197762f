"""What the rest of the project knows of a provider of chat models, whichever it is."""

from collections.abc import AsyncGenerator, Sequence
from typing import Literal, Protocol

import msgspec

Reason = Literal["stop", "length", "refused"]


class Message(msgspec.Struct, frozen=True):
    """A part of a conversation: what the user said, or a model answered."""

    role: Literal["user", "assistant"]
    text: str


class Usage(msgspec.Struct, frozen=True):
    """What was read and written, in the provider's tokens."""

    input_tokens: int = 0
    output_tokens: int = 0


class Finished(msgspec.Struct, frozen=True):
    """The end of an answer, after its last piece of text."""

    reason: Reason
    usage: Usage | None = None


class ProviderError(Exception):
    """Why there is no answer, or no more of it. Who raises it says in the log what an operator needs to know.

    `code` is `provider_unreachable`, `provider_timeout`, `provider_broke_off`, `provider_error`,
    `rate_limited` or `bad_key`; `detail` is a sentence for the user, without a word that the provider sent.
    """

    def __init__(self, code: str, detail: str):
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class Provider(Protocol):
    """A chat model. Closing the generator, or cancelling whoever awaits it, ends the request upstream."""

    name: str
    model: str

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> AsyncGenerator[str | Finished]:
        """Yield an answer as pieces of text, and last a `Finished`; raise `ProviderError`."""
        ...


class StructuredProvider(Provider, Protocol):
    """One that also fills in forms."""

    async def complete[T](self, prompt: str, form: type[T], *, max_tokens: int) -> T:
        """Return a form, a `msgspec.Struct`, as the model has filled it in; raise `ProviderError`."""
        ...
