from assistant import asking, generate, storage
from assistant.frames import (
    Asked,
    Begun,
    MessageDelta,
    MessageFinished,
    MessageSnapshot,
    MessageStarted,
    PromptMessage,
    ProviderInfo,
    Resume,
    Retry,
    SendPrompt,
    SessionConnected,
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
from realtime.frames import FrameError, Refused
from realtime.history import History


class ChatSessionConsumer(RealtimeConsumer):
    """A user's own chat session in `/ws/chat/session/<session_id>/`; all of its sockets get what is said."""

    sends = (
        SessionConnected,
        PromptMessage,
        MessageStarted,
        MessageDelta,
        MessageFinished,
        MessageSnapshot,
        Voted,
    )
    resumes_by = "message_id"
    session: ChatSession
    newest: int  # message, when it was opened
    unfinished: list[ChatMessage]  # at that time

    async def opened(self):
        session = await self.find(self.scope["url_route"]["kwargs"]["session_id"])
        if session is None:
            raise Refused(NOT_FOUND, "You have no such chat session")
        self.session = session
        history = History(session.messages.exclude(state=ChatMessage.State.STREAMING), to_frame)
        await self.join(session.group, history)
        self.newest, votes, self.unfinished = await self.look()
        history.rows = history.rows.exclude(pk__in=[answer.pk for answer in self.unfinished])
        prompts = {answer.prompt_id: answer.prompt for answer in self.unfinished if answer.prompt}
        unseen = sorted(prompts) if self.since() is None else ()
        await self.greet(self.greeting(votes), *(to_prompt(prompts[pk]) for pk in unseen))

    async def caught_up(self):
        """Send the answers that were being written when the client came, or that came before their prompt."""
        for message_id in [answer.pk for answer in self.unfinished] + await self.newer_answers():
            await self.send_answer(message_id)

    async def chat_message(self, frame: SendPrompt) -> Asked:
        prompt, answers = await asking.ask(self.session, frame.message, frame.providers)
        return Asked(prompt.pk, [Begun(answer.pk, answer.provider) for answer in answers])

    async def retry(self, frame: Retry) -> Begun:
        again = await asking.retry(await self.get_answer(frame.message_id))
        return Begun(again.pk, again.provider)

    async def stop(self, frame: Stop):
        await asking.stop(await self.get_answer(frame.message_id))

    async def vote(self, frame: Vote):
        await asking.vote(await self.get_answer(frame.message_id))

    async def resume(self, frame: Resume):
        answer = await self.get_answer(frame.message_id)
        try:
            await self.send_answer(answer.pk, frame.offset)
        except ConnectionError:
            raise FrameError("away", asking.AWAY) from None

    async def session_deleted(self, event):
        await self.close(NOT_FOUND, "This chat session was deleted")

    async def get_answer(self, message_id: int) -> ChatMessage:
        return await asking.get_answer(self.user, message_id, self.session)

    @in_database
    def find(self, session_id: int) -> ChatSession | None:
        return storage.find_session(self.user, session_id)

    async def send_answer(self, message_id: int, offset: int = 0) -> None:
        """Send an answer as it is now, and once more if its end may have overtaken what was sent."""
        for _ in range(2):
            answer = await generate.answers().current(message_id)
            if answer is None:
                return
            await self.send_frame(to_snapshot(answer, offset))
            if answer.state == ChatMessage.State.FINISHED:
                return

    @in_database
    def look(self) -> tuple[int, list[int], list[ChatMessage]]:
        """The id of the newest message, the answers that have a vote, and those that are being written."""
        messages = self.session.messages
        newest = messages.order_by("-pk").values_list("pk", flat=True).first() or 0
        votes = list(messages.filter(vote=True).values_list("pk", flat=True))
        return newest, votes, list(messages.streaming().filter(pk__lte=newest).select_related("prompt"))

    @in_database
    def newer_answers(self) -> list[int]:
        newer = self.session.messages.filter(role=ChatMessage.Role.ASSISTANT, pk__gt=self.newest)
        return list(newer.values_list("pk", flat=True))

    def greeting(self, votes: list[int]) -> SessionConnected:
        return SessionConnected(
            user=self.user_info,
            heartbeat=HEARTBEAT,
            session_id=self.session.pk,
            title=str(self.session),
            providers=[ProviderInfo(name, provider.model) for name, provider in get_providers().items()],
            default_providers=asking.defaults(),
            limits=asking.limits(),
            votes=votes,
        )
