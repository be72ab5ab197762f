"""Answers as server-sent events, for clients without a WebSocket.

The data are the frames of the WebSocket, which come from the same group, so both tell the same.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Iterable

import msgspec

from assistant.asking import snapshot
from assistant.frames import MessageDelta, MessageFinished, MessageSnapshot, MessageStarted
from assistant.models import ChatMessage, ChatSession
from realtime.frames import Error, FrameError, Reconnect, to_text
from realtime.hub import get_hub
from realtime.subscribe import Lost, subscribe

logger = logging.getLogger("assistant")

QUIET_SECONDS = 15  # after which a comment keeps proxies from taking the stream for dead
RETRY_SECONDS = 2.0  # after which a browser comes back whose connection was cut

PART = re.compile(r"([0-9]{1,18}):([0-9]{1,18}|end)")

_decode = msgspec.json.Decoder(MessageDelta | MessageFinished).decode


class Progress:
    """How much of some answers a client has: the id of an event, such as `8:120`, or `8:end,9:40` of two."""

    def __init__(self, answers: Iterable[int], last_event_id: str = ""):
        """Raise ValueError for an id that is none."""
        self.offsets: dict[int, int | None] = dict.fromkeys(answers, 0)  # None: the end, too
        for part in last_event_id.split(",") if last_event_id else ():
            match = PART.fullmatch(part)
            if match is None:
                raise ValueError("An id is the last one that came, such as 8:120")
            answer, offset = match.groups()
            if int(answer) in self.offsets:
                self.offsets[int(answer)] = None if offset == "end" else int(offset)

    def __str__(self) -> str:
        return ",".join(f"{id}:{'end' if at is None else at}" for id, at in self.offsets.items())

    @property
    def missing(self) -> list[int]:
        """The answers of which more is to come."""
        return [id for id, offset in self.offsets.items() if offset is not None]


class Started(MessageStarted, tag="message_started"):
    """The same as on the WebSocket, and in which session that is."""

    session_id: int


def fields_of[T: msgspec.Struct](kind: type[T], now: MessageSnapshot, **more) -> T:
    """Make a frame of what a snapshot tells, and some more."""
    return kind(**{name: getattr(now, name) for name in kind.__struct_fields__ if name not in more}, **more)


class Stream:
    """The events of some answers in a session, from where the client is."""

    def __init__(self, session: ChatSession, answers: Iterable[ChatMessage], last_event_id: str = ""):
        self.session = session
        self.answers = {answer.pk: answer for answer in answers}
        self.progress = Progress(self.answers, last_event_id)
        self._begun: set[int] = set()

    async def events(self) -> AsyncGenerator[str]:
        yield f"retry: {RETRY_SECONDS * 1000:.0f}\n\n"
        loop = asyncio.get_running_loop()
        while self.progress.missing:
            try:
                async with subscribe(self.session.group) as frames:
                    for event in await self._catch_up(self.progress.missing):
                        yield event
                    said_at = loop.time()
                    while self.progress.missing:
                        try:
                            async with asyncio.timeout_at(said_at + QUIET_SECONDS):
                                events = await self._take(await anext(frames))
                        except TimeoutError:
                            yield ": nothing new\n\n"
                            said_at = loop.time()
                            events = await self._catch_up(self.progress.missing)  # its process may be dead
                        for event in events:
                            yield event
                            said_at = loop.time()
            except Lost as lost:
                if get_hub().draining:
                    yield self._reconnect(lost.after)
                    return
            except OSError as error:  # the channel layer is away
                logger.warning("a stream breaks off, and its client comes back: %r", error)
                yield self._reconnect(RETRY_SECONDS)
                return
            except FrameError as error:
                yield self._error(error.code, error.detail)
                return
            except Exception:
                logger.exception("a stream breaks off")
                yield self._error("internal_error", "Something is wrong on the server")
                return

    async def _catch_up(self, answers: list[int]) -> list[str]:
        """The events that bring the client up to what there is of some answers."""
        events = []
        for id in answers:
            now = await snapshot(self.answers[id], self.progress.offsets[id] or 0)
            if id not in self._begun:
                self._begun.add(id)
                started = fields_of(Started, now, session_id=self.session.pk)
                events.append(self._event("started", to_text(started)))
            events += self._delta(id, now.offset, now.text)
            if now.state == ChatMessage.State.FINISHED:
                finished = fields_of(MessageFinished, now, length=now.offset + len(now.text))
                events.append(self._finished(id, to_text(finished)))
        return events

    async def _take(self, text: str) -> list[str]:
        """The events that a frame of the session makes."""
        try:
            frame = _decode(text)
        except msgspec.ValidationError:  # one of another type
            return []
        id = frame.message_id
        at = self.progress.offsets.get(id)
        if at is None:
            return []
        if isinstance(frame, MessageDelta) and frame.offset <= at:
            return self._delta(id, frame.offset, frame.text)
        if isinstance(frame, MessageFinished) and frame.length <= at:
            return [self._finished(id, text)]
        return await self._catch_up([id])  # the client lacks what was before

    def _delta(self, id: int, offset: int, text: str) -> list[str]:
        """Send on what the client lacks of a text that begins at an offset."""
        at = self.progress.offsets[id] or 0
        text = text[at - offset :]
        if not text:
            return []
        self.progress.offsets[id] = at + len(text)
        return [self._event("delta", to_text(MessageDelta(message_id=id, offset=at, text=text)))]

    def _finished(self, id: int, text: str) -> str:
        self.progress.offsets[id] = None
        return self._event("finished", text)

    def _error(self, code: str, detail: str) -> str:
        return f"event: error\ndata: {to_text(Error(code=code, detail=detail))}\n\n"

    def _event(self, name: str, data: str) -> str:
        return f"event: {name}\nid: {self.progress}\ndata: {data}\n\n"

    def _reconnect(self, after: float) -> str:
        frame = to_text(Reconnect(after=round(after, 2)))
        return f"event: reconnect\nretry: {after * 1000:.0f}\ndata: {frame}\n\n"
