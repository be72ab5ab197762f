from typing import TypedDict

from assistant import asking, generate, storage
from assistant.frames import (
    Entered,
    MessageDelta,
    MessageFinished,
    MessageSnapshot,
    MessageStarted,
    PromptMessage,
    ProviderInfo,
    Resume,
    Retry,
    SendPrompt,
    Stop,
    Vote,
    Voted,
    to_frame,
    to_prompt,
    to_snapshot,
)
from assistant.models import ChatMessage, ChatSession
from integrations.llm.registry import get_providers
from realtime.codes import NOT_FOUND
from realtime.consumer import HEARTBEAT, RealtimeConsumer
from realtime.database import in_database
from realtime.frames import Frame, Gap, Refused
from realtime.history import PAGE, History


class Asked(TypedDict):
    message_id: int
    provider: str


class Answered(TypedDict):
    message_id: int
    answers: list[Asked]


class ChatSessionConsumer(RealtimeConsumer):
    """A user's own chat session in `/ws/chat/session/<session_id>/`; all of its sockets get what is said."""

    sends = (Entered, PromptMessage, MessageStarted, MessageDelta, MessageFinished, MessageSnapshot, Voted)
    resumes_by = "message_id"
    session: ChatSession

    async def opened(self):
        session = await self.find(self.scope["url_route"]["kwargs"]["session_id"])
        if session is None:
            raise Refused(NOT_FOUND, "You have no such chat session")
        self.session = session
        await self.join(session.group)
        newest, votes, streaming = await self.look()
        await self.greet(self.greeting(votes))
        if (since := self.since()) is not None:
            await self.catch_up(since, newest, [answer.pk for answer in streaming])
        for frame in await self.unfinished(streaming):
            await self.send_frame(frame)

    async def chat_message(self, frame: SendPrompt) -> Answered:
        prompt, answers = await asking.ask(self.session, frame.message, frame.providers)
        asked: list[Asked] = [{"message_id": each.pk, "provider": each.provider} for each in answers]
        return {"message_id": prompt.pk, "answers": asked}

    async def retry(self, frame: Retry) -> Asked:
        again = await asking.retry(await self.get_answer(frame.message_id))
        return {"message_id": again.pk, "provider": again.provider}

    async def stop(self, frame: Stop):
        await asking.stop(await self.get_answer(frame.message_id))

    async def vote(self, frame: Vote):
        await asking.vote(await self.get_answer(frame.message_id))

    async def resume(self, frame: Resume):
        answer = await self.get_answer(frame.message_id)
        await self.send_frame(await asking.snapshot(answer, frame.offset))

    async def session_deleted(self, event):
        await self.close(NOT_FOUND, "This chat session was deleted")

    async def get_answer(self, message_id: int) -> ChatMessage:
        return await asking.get_answer(self.user, message_id, self.session)

    @in_database
    def find(self, session_id: int) -> ChatSession | None:
        return storage.find_session(self.user, session_id)

    @in_database
    def look(self) -> tuple[int, list[int], list[ChatMessage]]:
        """The id of the newest message, the answers with a vote, and those that are being written."""
        messages = self.session.messages
        newest = messages.order_by("-pk").values_list("pk", flat=True).first() or 0
        votes = list(messages.filter(vote=True).values_list("pk", flat=True))
        return newest, votes, list(messages.streaming().filter(pk__lte=newest).select_related("prompt"))

    def greeting(self, votes: list[int]) -> Entered:
        return Entered(
            user=self.user_info,
            heartbeat=HEARTBEAT,
            session_id=self.session.pk,
            title=str(self.session),
            providers=[ProviderInfo(name, provider.model) for name, provider in get_providers().items()],
            default_providers=asking.defaults(),
            limits=asking.limits(),
            votes=votes,
        )

    async def unfinished(self, streaming: list[ChatMessage]) -> list[Frame]:
        """The answers that are being written, each prompt before them; what they get from now on follows."""
        prompts = {answer.prompt_id: answer.prompt for answer in streaming if answer.prompt}
        now = [await generate.answers().current(answer.pk) for answer in streaming]
        return [*map(to_prompt, prompts.values()), *(to_snapshot(answer) for answer in now if answer)]

    async def catch_up(self, since: int, newest: int, sent: list[int]) -> None:
        """Send what came after `?since=`, and is not sent yet."""
        if since > newest:  # the database was restored from a backup
            await self.send_frame(Gap(asked=since, resumed=newest))
            return
        messages = self.session.messages.filter(pk__lte=newest).exclude(pk__in=sent)
        history = History(messages, to_frame)
        rows, position, _, page = await history.begin(since, newest)
        if position > since:
            await self.send_frame(Gap(asked=since, resumed=position))
        while self.takes_frames:
            for _, frame in page:
                await self.send_frame(frame)
            if len(page) < PAGE:
                return
            page = await history.page(rows, page[-1][0])
