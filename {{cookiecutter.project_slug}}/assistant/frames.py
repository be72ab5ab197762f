"""What is said in a chat session. Offsets and lengths are in characters: in JavaScript `[...text].length`."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from assistant.models import ChatMessage
from realtime.frames import ClientFrame, Connected, Frame


class SendPrompt(ClientFrame, tag="chat_message"):
    """Asks the models of some providers, by default all that are set up; each writes an answer."""

    message: str
    providers: list[str] | None = None


class Begun(msgspec.Struct):
    """An answer that a provider was asked for."""

    message_id: int
    provider: str


class Asked(msgspec.Struct):
    """The prompt, as it is stored, and the answers to it."""

    message_id: int
    answers: list[Begun]


class Stop(ClientFrame, tag="stop"):
    """Ends an answer where it is. The reply comes when that is done, and the text so far is kept."""

    message_id: int


class Retry(ClientFrame, tag="retry"):
    """Asks for another answer to the same prompt by the same provider."""

    message_id: int


class Vote(ClientFrame, tag="vote"):
    """Says which of the answers to a prompt is the best."""

    message_id: int


class Resume(ClientFrame, tag="resume"):
    """Asks for an answer as it is now, from an offset on: a `message_snapshot` comes, and what follows it."""

    message_id: int
    offset: Annotated[int, Meta(ge=0)] = 0


class ProviderInfo(msgspec.Struct):
    name: str
    model: str


class Limits(msgspec.Struct):
    prompt_chars: int
    providers: int  # that may be asked at once
    concurrent: int  # answers that are written for a user at a time


class SessionConnected(Connected, tag="connection_established"):
    session_id: int
    title: str
    providers: list[ProviderInfo]
    default_providers: list[str]  # that are asked if nobody says which
    limits: Limits
    votes: list[int]  # the answers that are the best so far


class PromptMessage(Frame, tag="chat_message"):
    """A prompt of the user."""

    message_id: int
    message: str
    created_at: datetime


class MessageStarted(Frame, tag="message_started"):
    """A provider was asked. If the client knows the message already, there is nothing to do."""

    message_id: int
    prompt_id: int
    provider: str
    model: str
    created_at: datetime


class MessageDelta(Frame, tag="message_delta"):
    """More of an answer, from an offset on: a client drops what it has, and resumes if it lacks some."""

    message_id: int
    offset: int
    text: str


class Usage(msgspec.Struct):
    """In the provider's tokens, if it says so."""

    input_tokens: int | None = None
    output_tokens: int | None = None


class Times(msgspec.Struct):
    """In milliseconds since the provider was asked: until the first word came, and the end."""

    first: int | None = None
    total: int | None = None


class MessageFinished(Frame, tag="message_finished", omit_defaults=True):
    """The end of an answer of so many characters; `error` and `detail` say more if `reason` is error."""

    message_id: int
    reason: str
    usage: Usage
    ms: Times
    length: int
    error: str = ""
    detail: str = ""


class MessageSnapshot(Frame, tag="message_snapshot"):
    """An answer as it is: `text` begins at `offset`. Of one that is streaming the client may know more."""

    message_id: int
    prompt_id: int
    provider: str
    model: str
    created_at: datetime
    offset: int
    text: str
    state: str
    reason: str
    usage: Usage
    ms: Times
    error: str
    detail: str
    vote: bool


class Voted(Frame, tag="voted"):
    """An answer is the best to its prompt now, and no other one is."""

    message_id: int
    prompt_id: int


def to_prompt(message: ChatMessage) -> PromptMessage:
    return PromptMessage(message_id=message.pk, message=message.text, created_at=message.created_at)


def to_started(answer: ChatMessage) -> MessageStarted:
    return MessageStarted(
        message_id=answer.pk,
        prompt_id=answer.prompt_id or 0,
        provider=answer.provider,
        model=answer.model,
        created_at=answer.created_at,
    )


def to_finished(answer: ChatMessage) -> MessageFinished:
    return MessageFinished(
        message_id=answer.pk,
        reason=answer.reason,
        usage=Usage(answer.input_tokens, answer.output_tokens),
        ms=Times(answer.first_ms, answer.total_ms),
        length=len(answer.text),
        error=answer.error,
        detail=answer.detail,
    )


def to_snapshot(answer: ChatMessage, offset: int = 0) -> MessageSnapshot:
    offset = min(offset, len(answer.text))
    return MessageSnapshot(
        message_id=answer.pk,
        prompt_id=answer.prompt_id or 0,
        provider=answer.provider,
        model=answer.model,
        created_at=answer.created_at,
        offset=offset,
        text=answer.text[offset:],
        state=answer.state,
        reason=answer.reason,
        usage=Usage(answer.input_tokens, answer.output_tokens),
        ms=Times(answer.first_ms, answer.total_ms),
        error=answer.error,
        detail=answer.detail,
        vote=answer.vote,
    )


def to_frame(message: ChatMessage) -> PromptMessage | MessageSnapshot:
    return to_prompt(message) if message.role == ChatMessage.Role.USER else to_snapshot(message)
