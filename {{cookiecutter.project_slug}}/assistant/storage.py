"""What is stored of a conversation. These functions block."""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from assistant.models import ChatMessage, ChatSession
from integrations.llm.provider import Message
from realtime.frames import FrameError

USER, ASSISTANT = ChatMessage.Role.USER, ChatMessage.Role.ASSISTANT
STREAMING, FINISHED = ChatMessage.State.STREAMING, ChatMessage.State.FINISHED

TITLE_CHARS = 60
LATEST = 50  # sessions that a page lists
MAX_EARLIER = 50  # prompts that are looked at for what was said before

Asked = list[tuple[str, str]]  # providers and their models


@transaction.atomic
def store_prompt(session: ChatSession, text: str, asked: Asked) -> tuple[ChatMessage, list[ChatMessage]]:
    """Store a prompt and an empty answer of each provider; raise FrameError if too many are written."""
    stored = admit(session, len(asked))
    prompt = ChatMessage.objects.create(session=session, role=USER, text=text)
    prompt.after = newest_prompt(session, up_to=prompt.pk - 1)
    if not stored.title:
        stored.title = to_title(text)
        stored.save(update_fields=["title"])
    return prompt, [_create(prompt, provider, model) for provider, model in asked]


def to_title(prompt: str) -> str:
    """Return how a prompt begins, which need not have a space anywhere."""
    words = " ".join(prompt.split())
    return words if len(words) <= TITLE_CHARS else words[: TITLE_CHARS - 1].rstrip() + "…"


def newest_prompt(session: ChatSession, up_to: int) -> int:
    """Return the id of the newest prompt of a session up to an id; 0 if there is none."""
    prompts = session.messages.filter(role=USER, pk__lte=up_to)
    return prompts.order_by("-pk").values_list("pk", flat=True).first() or 0


@transaction.atomic
def store_retry(answer: ChatMessage, model: str) -> ChatMessage:
    """Store an empty answer to the same prompt by the same provider; raises FrameError as `store_prompt`."""
    admit(answer.session, 1)
    return _create(answer.prompt, answer.provider, model)


def admit(session: ChatSession, more: int) -> ChatSession:
    """Lock the user, of whom no more than so many answers may be written at a time, and the session.

    So ids of a session become visible in their order as well, which `?since=` relies on; and nobody deletes
    it meanwhile. Returns it as it is now.
    """
    get_user_model().objects.select_for_update(no_key=True).get(pk=session.owner_id)
    stored = ChatSession.objects.select_for_update(no_key=True).filter(pk=session.pk).first()
    if stored is None:
        raise FrameError("not_found", "This session does not exist any more")
    written, most = (
        ChatMessage.objects.live().filter(session__owner=session.owner_id).count(),
        settings.ASSISTANT["CONCURRENT"],
    )
    if written + more > most:
        cure = "Wait until one is finished, or stop one."
        raise FrameError(
            "too_many_answers",
            f"At most {most} answers are written for you at a time, and {written} are. {cure}",
        )
    return stored


def _create(prompt, provider: str, model: str) -> ChatMessage:
    return ChatMessage.objects.create(
        session=prompt.session,
        role=ASSISTANT,
        prompt=prompt,
        provider=provider,
        model=model,
        state=STREAMING,
        heartbeat_at=Now(),
    )


def read_conversation(prompt: ChatMessage, provider: str) -> list[Message]:
    """Return what a provider is told: the prompt, and before it as much of the conversation as may be.

    Of several answers to an earlier prompt it gets its own; if it has none, the one with the vote.
    """
    said, left = [Message("user", prompt.text)], settings.ASSISTANT["HISTORY_CHARS"]
    earlier = ChatMessage.objects.filter(session=prompt.session_id, role=USER, pk__lt=prompt.pk)
    for asked in earlier.order_by("-pk").prefetch_related("answers")[:MAX_EARLIER]:
        answers = [answer for answer in asked.answers.all() if answer.state == FINISHED and answer.text]
        if not answers:
            continue
        answer = max(answers, key=lambda answer: (answer.provider == provider, answer.vote, answer.pk))
        left -= len(asked.text) + len(answer.text)
        if left < 0:
            break
        said[:0] = [Message("user", asked.text), Message("assistant", answer.text)]
    return said


@transaction.atomic
def store_vote(answer: ChatMessage) -> None:
    """Let this answer have the vote, and no other one to its prompt."""
    get_user_model().objects.select_for_update(no_key=True).get(pk=answer.session.owner_id)
    ChatMessage.objects.filter(prompt=answer.prompt_id, vote=True).update(vote=False)
    ChatMessage.objects.filter(pk=answer.pk).update(vote=True)


def find_session(user, session_id: int) -> ChatSession | None:
    """Return a session of a user."""
    return ChatSession.objects.filter(pk=session_id, owner=user).first() if session_id < 2**63 else None


def latest_sessions(user) -> QuerySet[ChatSession]:
    """Return the newest sessions of a user, with the number of `prompts` in each."""
    prompts = Count("messages", filter=Q(messages__role=USER))
    return user.chat_sessions.annotate(prompts=prompts).order_by("-pk")[:LATEST]


@transaction.atomic
def delete_session(user, session_id: int) -> bool:
    """Delete a session of a user, when no prompt is being stored in it; return whether there was one."""
    session = user.chat_sessions.select_for_update().filter(pk=session_id).first()
    return bool(session and session.delete())


def find_answer(user, message_id: int) -> ChatMessage | None:
    """Return an answer in a session of a user."""
    answers = ChatMessage.objects.select_related("session", "prompt__session")
    known = abs(message_id) < 2**63
    return answers.filter(pk=message_id, role=ASSISTANT, session__owner=user).first() if known else None


def read_answer(message_id: int) -> ChatMessage | None:
    return ChatMessage.objects.select_related("session").filter(pk=message_id).first()


def end(message_id: int, **fields) -> ChatMessage | None:
    """Finish an answer that is being written; return it as it is then, maybe by another process."""
    ChatMessage.objects.streaming().filter(pk=message_id).update(state=FINISHED, heartbeat_at=None, **fields)
    return read_answer(message_id)


def interrupt(message_id: int, text: str) -> ChatMessage | None:
    """Finish an answer whose process was killed, if that is still so; then return it."""
    interrupted = ChatMessage.Reason.INTERRUPTED
    lost = ChatMessage.objects.lost().filter(pk=message_id)
    done = lost.update(state=FINISHED, heartbeat_at=None, reason=interrupted, text=text)
    return read_answer(message_id) if done else None


def beat(message_ids: list[int]) -> set[int]:
    """Say that answers are still written here; return which of them are, as far as others know."""
    own = ChatMessage.objects.streaming().filter(pk__in=message_ids)
    own.update(heartbeat_at=Now())
    return set(own.values_list("pk", flat=True))


def find_lost() -> list[int]:
    return list(ChatMessage.objects.lost().values_list("pk", flat=True)[:100])
