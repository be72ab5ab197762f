"""Answers that are being written. Each belongs to the process that asks the provider, and not to a socket.

What comes from the provider is handed out at once, and then every `JOIN_SECONDS`; the text so far is in
partials.py, and in the end in the database, where this process alone writes it. It says every few seconds
that it is there; when it no longer does, any other process finishes its answers, as interrupted.
"""

import asyncio
import logging
from contextlib import aclosing, suppress
from typing import Any

import msgspec
from django.conf import settings

from assistant import metrics, partials, storage
from assistant.frames import MessageDelta, to_finished, to_started
from assistant.models import ChatMessage
from integrations.llm.provider import Finished, Provider, ProviderError
from realtime.database import in_database
from realtime.frames import FrameError
from realtime.hub import get_hub
from realtime.loops import per_loop
from realtime.publish import apublish, send_event
from realtime.sockets import Member

logger = logging.getLogger("assistant")

PROCESSES = "assistant.processes"  # the group of those that write answers, or have some stopped
JOIN_SECONDS = 0.04  # in which what comes becomes one frame
CHARS_PER_TOKEN = 20  # more than any model needs
STOP_SECONDS = 3  # for an answer to end that is to be stopped; a page may ask for three in a row
JOIN_GROUP_SECONDS = 1  # for this process to hear others
END_SECONDS = 1.5  # before the end of a drain, for interrupted answers to be stored
AGAIN_SECONDS = 1  # between two tries to store an answer
TRIES = 60

Reason = ChatMessage.Reason


class Generation:
    """An answer that this process writes."""

    def __init__(self, answer: ChatMessage, provider: Provider):
        self.answer, self.provider = answer, provider
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        self.first_ms: int | None = None
        self.text = ""
        self.published = self.kept = 0  # characters
        self.grown = asyncio.Event()
        self.ended_by = Reason.INTERRUPTED  # if it is cancelled
        self.failing = False
        hub = get_hub()
        self.writing = hub.spawn(self._write())
        self.task = hub.spawn(self._run())

    async def stop(self, reason: ChatMessage.Reason, within: float = STOP_SECONDS) -> bool:
        """End the request to the provider, and say whether the answer is stored."""
        if not self.writing.done():
            self.ended_by = reason
            self.writing.cancel()
        await asyncio.wait([self.task], timeout=within)
        return self.task.done()

    async def _run(self) -> None:
        publishing = asyncio.create_task(self._publish())
        await asyncio.wait([self.writing])
        outcome = self._outcome()
        metrics.count(self.provider.name, outcome, self.first_ms)
        self.grown.set()
        await asyncio.wait([publishing])
        if error := publishing.exception():
            logger.error("could not publish answer %d", self.answer.pk, exc_info=error)
        fields = outcome | {"text": self.text, "first_ms": self.first_ms, "total_ms": self._ms()}
        for attempt in range(TRIES):
            try:
                ended = await in_database(storage.end)(self.answer.pk, **fields)
                break
            except Exception as error:
                if not attempt:
                    logger.warning("could not store answer %d yet: %r", self.answer.pk, error)
                await asyncio.sleep(AGAIN_SECONDS)
        else:
            logger.error("answer %d was not stored; it will be interrupted", self.answer.pk)
            return
        if ended is not None:  # else its session was deleted
            await apublish(self.answer.session.group, to_finished(ended))
        await _forget(self.answer.pk)

    async def _write(self) -> Finished:
        """Take what the provider sends, at its own pace, whoever reads it."""
        limits = settings.ASSISTANT
        most = limits["MAX_TOKENS"] * CHARS_PER_TOKEN
        async with asyncio.timeout(limits["SECONDS"]):
            said = await in_database(storage.read_conversation)(self.answer.prompt, self.answer.provider)
            stream = self.provider.stream(said, max_tokens=limits["MAX_TOKENS"])
            async with aclosing(stream) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    if isinstance(piece, Finished):
                        return piece
                    self.first_ms = self._ms() if self.first_ms is None else self.first_ms
                    self.text += piece.replace("\0", "")  # which not every database takes
                    self.grown.set()
                    if len(self.text) > most:
                        return Finished("length")
        logger.warning("%s: provider_broke_off: it did not say that the answer is whole", self.provider.name)
        raise ProviderError("provider_broke_off", "The answer broke off; ask again")

    def _outcome(self) -> dict[str, Any]:
        """How it ended, as fields of the answer; a line in the log says why it failed."""
        try:
            finished = self.writing.result()
            usage = msgspec.structs.asdict(finished.usage) if finished.usage else {}
            return {"reason": finished.reason, **usage}
        except asyncio.CancelledError:
            return {"reason": self.ended_by}
        except ProviderError as failure:  # the provider has logged why
            error, detail = failure.code, failure.detail
        except TimeoutError:
            error, seconds = "provider_timeout", settings.ASSISTANT["SECONDS"]
            detail = f"The answer took longer than {seconds} s; ask for a shorter one"
            logger.warning("%s: %s: the answer took longer than %d s", self.provider.name, error, seconds)
        except Exception:
            logger.exception("%s failed", self.provider.name)
            error, detail = "internal_error", "Something went wrong on the server; its log says what"
        return {"reason": Reason.ERROR, "error": error[:50], "detail": detail[:300]}

    async def _publish(self) -> None:
        await apublish(self.answer.session.group, to_started(self.answer))
        while True:
            await self.grown.wait()
            self.grown.clear()
            await self._hand_out()
            if self.writing.done() and self.published == len(self.text):
                return
            await asyncio.sleep(JOIN_SECONDS)

    async def _hand_out(self) -> None:
        text, offset = self.text, self.published
        if len(text) == offset:
            return
        try:
            await partials.keep(self.answer.pk, text, self.kept)
            self.kept, self.failing = len(text), False
        except ConnectionError as error:
            if not self.failing:
                logger.warning("the text so far of answer %d is not kept: %s", self.answer.pk, error)
            self.failing = True
        self.published = len(text)
        delta = MessageDelta(message_id=self.answer.pk, offset=offset, text=text[offset:])
        await apublish(self.answer.session.group, delta)

    def _ms(self) -> int:
        return round((self.loop.time() - self.began) * 1000)


class Answers(Member):
    """Those of this process. For the hub it is a member of a group, like a socket: so it hears events."""

    def __init__(self):
        self.hub = get_hub()
        self.opened_at = self.hub.loop.time()
        self.own: dict[int, Generation] = {}
        self.stopping: dict[int, asyncio.Future[None]] = {}  # elsewhere
        self.watching: asyncio.Task | None = None
        self.joined = asyncio.Event()  # the group PROCESSES
        self.hub.at_drain.append(self.finish)

    def start(self, answer: ChatMessage, provider: Provider) -> None:
        """Have an answer written that is stored, as yet without a word."""
        generation = self.own[answer.pk] = Generation(answer, provider)
        generation.task.add_done_callback(lambda task: self.own.pop(answer.pk, None))
        if self.hub.draining:  # since it was stored
            generation.writing.cancel()
        self.watch()

    async def stop(self, answer: ChatMessage) -> bool:
        """Stop an answer, whichever process writes it; say whether that was done."""
        if own := self.own.get(answer.pk):
            return await own.stop(Reason.STOPPED)
        self.watch()
        stopped = self.stopping.setdefault(answer.pk, self.hub.loop.create_future())
        with suppress(TimeoutError):
            await asyncio.wait_for(self.joined.wait(), JOIN_GROUP_SECONDS)  # to hear that it is done
        send_event(PROCESSES, {"type": "answer.stop", "message_id": answer.pk})
        await asyncio.wait([stopped], timeout=STOP_SECONDS)
        if self.stopping.get(answer.pk) is stopped:
            del self.stopping[answer.pk]
        return stopped.done()

    async def current(self, message_id: int) -> ChatMessage | None:
        """Return an answer with its text so far. Raises ConnectionError if nobody can tell that right now."""
        self.watch()
        own = self.own.get(message_id)
        # Before the database is asked: it may end meanwhile.
        text = own.text if own else await partials.read(message_id)
        answer = await in_database(storage.read_answer)(message_id)
        if answer is not None and answer.state == ChatMessage.State.STREAMING:
            answer.text = text
        return answer

    async def finish(self, within: float) -> None:
        """Let answers come to their end when the process is to end, or interrupt them before it does."""
        if not self.own:
            return
        logger.info("%d answers are being written", len(self.own))
        await asyncio.wait([each.task for each in self.own.values()], timeout=max(0, within - END_SECONDS))
        left = [each.stop(Reason.INTERRUPTED, END_SECONDS) for each in list(self.own.values())]
        if left:
            logger.warning("%d answers are interrupted", len(left))
            await asyncio.gather(*left)

    # What the hub knows of a socket

    def take_event(self, name: str, event: dict[str, Any]) -> None:
        """Another process asks to stop an answer, or has stopped one."""
        message_id = event["message_id"]
        if name == "answer_stop" and message_id in self.own:
            self.hub.spawn(self._stop_own(message_id))
        elif name == "answer_stopped" and (stopped := self.stopping.pop(message_id, None)):
            stopped.set_result(None)

    async def _stop_own(self, message_id: int) -> None:
        if (own := self.own.get(message_id)) is None or await own.stop(Reason.STOPPED):
            send_event(PROCESSES, {"type": "answer.stopped", "message_id": message_id})

    async def reconnect(self, after: float) -> None:
        """Events may have been lost; who wanted something stopped asks again."""

    # Signs of life

    def watch(self) -> None:
        """From now on say that this process is there, and look for answers of those that no longer are."""
        if self.watching is None or self.watching.done():
            self.watching = self.hub.spawn(self._watch())

    async def _watch(self) -> None:
        well = False
        while True:
            try:
                if not self.joined.is_set():
                    await self.hub.start()
                    await self.hub.join(PROCESSES, self)
                    self.joined.set()
            except Exception as error:  # each layer has its own
                logger.debug("answers cannot be stopped from elsewhere yet: %r", error)
            try:
                await self._look(after_calm=well)
                well = True
            except Exception as error:
                if well:
                    logger.warning("could not look after answers: %r", error)
                well = False
            calm = self.joined.is_set() and well
            await asyncio.sleep(settings.ASSISTANT["HEARTBEAT_SECONDS"] if calm else AGAIN_SECONDS)

    async def _look(self, after_calm: bool) -> None:
        own = list(self.own)
        still = await in_database(storage.beat)(own) if own else set()
        for message_id in own:
            if message_id not in still and (generation := self.own.get(message_id)):
                generation.writing.cancel()  # this process was asleep, and another one has finished it
        # If the database was away, others could not say that they are there: give them time to.
        for message_id in await in_database(storage.find_lost)() if after_calm else ():
            await interrupt(message_id)


answers = per_loop(Answers)


async def interrupt(message_id: int) -> None:
    """Finish an answer whose process was killed, with the text that there is."""
    text = await partials.read(message_id)
    ended = await in_database(storage.interrupt)(message_id, text)
    if ended is not None:
        logger.warning("answer %d was interrupted: its process is gone", message_id)
        await apublish(ended.session.group, to_finished(ended))
        await _forget(message_id)


async def _forget(message_id: int) -> None:
    try:
        await partials.forget(message_id)
    except ConnectionError as error:  # it ends by itself
        logger.debug("could not forget the text of answer %d: %s", message_id, error)


def check_serving() -> None:
    """Raise FrameError in a process that is about to end."""
    if get_hub().draining:
        raise FrameError("away", "The server restarts; try again in a moment")
