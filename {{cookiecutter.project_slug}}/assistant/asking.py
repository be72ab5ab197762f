"""What may be done in a chat session, for its socket and for HTTP alike.

All raise `FrameError` with a code and a sentence for the user. What was begun is carried out, even if whoever
asked is gone.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from django.conf import settings

from assistant import generate, storage
from assistant.frames import Limits, MessageSnapshot, Voted, to_prompt, to_snapshot
from assistant.models import ChatMessage, ChatSession
from integrations.llm.provider import Provider
from integrations.llm.registry import default_names, get_providers
from realtime.database import in_database
from realtime.frames import FrameError
from realtime.hub import get_hub
from realtime.publish import apublish

MAX_PROVIDERS = 3  # that are asked at once
AWAY = "The text so far cannot be read right now; try again later"


def limits() -> Limits:
    most = settings.ASSISTANT["CONCURRENT"]
    return Limits(settings.ASSISTANT["PROMPT_CHARS"], min(MAX_PROVIDERS, most), most)


def defaults() -> list[str]:
    """The providers that are asked if nobody says which."""
    return default_names()[: limits().providers]


async def get_answer(user, message_id: int, session: ChatSession | None = None) -> ChatMessage:
    """Return an answer in a session of a user, or in one session; raise `not_found` if there is none."""
    answer = await in_database(storage.find_answer)(user, message_id)
    if answer is None or (session is not None and answer.session_id != session.pk):
        raise FrameError("not_found", f"There is no answer {message_id} here")
    return answer


async def ask(
    session: ChatSession, text: str, providers: list[str] | None = None
) -> tuple[ChatMessage, list[ChatMessage]]:
    """Store a prompt and have providers answer it; return it and the answers, still empty.

    Raises `invalid_message`, `prompt_too_long`, `unknown_provider`, `too_many_answers` or `away`.
    """
    text, most = text.replace("\0", "").strip(), settings.ASSISTANT["PROMPT_CHARS"]
    if not text:
        raise FrameError("invalid_message", "The prompt is empty")
    if len(text) > most:
        detail = f"A prompt has at most {most} characters, and this one {len(text)}"
        raise FrameError("prompt_too_long", detail)
    names = list(dict.fromkeys(defaults() if providers is None else providers))
    if not 0 < len(names) <= limits().providers:
        raise FrameError("invalid_message", f"Ask 1 to {limits().providers} providers")
    return await _carry_out(_ask(session, text, names))


async def retry(answer: ChatMessage) -> ChatMessage:
    """Have the same provider answer the same prompt once more; raises what `ask` raises."""
    return await _carry_out(_retry(answer))


async def stop(answer: ChatMessage) -> None:
    """Stop an answer, whichever process writes it, and return when that is done; else raise `away`."""
    if answer.state == ChatMessage.State.FINISHED or await generate.answers().stop(answer):
        return
    with suppress(ConnectionError):
        await generate.interrupt(answer.pk)  # if its process is gone
    now = await in_database(storage.read_answer)(answer.pk)
    if now is not None and now.state == ChatMessage.State.STREAMING:
        raise FrameError("away", "The answer could not be stopped right now; try again later")


async def vote(answer: ChatMessage) -> None:
    """Let this be the best of the answers to its prompt."""
    if answer.state == ChatMessage.State.STREAMING:
        raise FrameError("not_allowed", "Wait until the answer is finished")
    await in_database(storage.store_vote)(answer)
    await apublish(answer.session.group, Voted(message_id=answer.pk, prompt_id=answer.prompt_id or 0))


async def snapshot(answer: ChatMessage, offset: int = 0) -> MessageSnapshot:
    """Return an answer as it is now, its text from an offset on; raises `away` or `not_found`."""
    try:
        current = await generate.answers().current(answer.pk)
    except ConnectionError:
        raise FrameError("away", AWAY) from None
    if current is None:
        raise FrameError("not_found", "This answer does not exist any more")
    return to_snapshot(current, offset)


async def _carry_out[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Await what must not be left half done when the socket closes that asked for it."""
    return await asyncio.shield(get_hub().spawn(coroutine))


async def _ask(session: ChatSession, text: str, names: list[str]) -> tuple[ChatMessage, list[ChatMessage]]:
    providers = {name: _provider(name) for name in names}
    asked = [(name, provider.model) for name, provider in providers.items()]
    prompt, answers = await in_database(storage.store_prompt)(session, text, asked)
    await apublish(session.group, to_prompt(prompt), key=prompt.pk, after=prompt.after)
    for answer in answers:
        generate.answers().start(answer, providers[answer.provider])
    return prompt, answers


async def _retry(answer: ChatMessage) -> ChatMessage:
    provider = _provider(answer.provider)
    again = await in_database(storage.store_retry)(answer, provider.model)
    generate.answers().start(again, provider)
    return again


def _provider(name: str) -> Provider:
    generate.check_serving()
    providers = get_providers()
    if name not in providers:
        known = ", ".join(providers)
        raise FrameError("unknown_provider", f"There is no provider {name!r:.60}; there are {known}")
    return providers[name]
