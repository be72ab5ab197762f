"""The processes that serve sockets, on all hosts: who is there, and what each says of itself and its sockets.

Every few seconds a process says on `EVERYWHERE` that it is here. So each knows the others, and can name those
that do not answer a question.
"""

import asyncio
import heapq
import logging
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import batched
from operator import itemgetter
from pathlib import Path
from typing import Any, TypedDict
from uuid import uuid4

from channels.layers import BaseChannelLayer

from realtime.codes import ENDED_BY_STAFF
from realtime.events import ANSWER, EVERYWHERE, GONE, HERE, QUESTION
from realtime.sockets import Socket, Sockets
from realtime.stats import stats
from realtime.watch import Watch

logger = logging.getLogger("realtime")

HERE_SECONDS = 5  # between two announcements
FORGET_SECONDS = 600  # after which a process that was not heard is none any more
ANSWER_SECONDS = 0.5  # for answers to come
SEND_SECONDS = 2  # for the channel layer to take an event
MAX_PROCESSES = 1000  # that are known
MAX_SOCKETS = 200  # in an answer
MAX_QUESTIONS = 20  # that are answered at a time; more are not
BATCH = 200  # sockets that are looked at between two turns of the event loop


@dataclass(slots=True)
class Process:
    """What is known of a process without asking it."""

    host: str
    pid: int
    since: float  # seconds since 1970
    heard: float  # the same: its last sign of life


class SocketInfo(TypedDict):
    """An open socket, as its process describes it."""

    id: str
    process: str  # its id
    at: str  # its host and pid
    user: str  # empty for a guest
    user_id: int | None
    consumer: str
    path: str  # without the query, which may hold a proof
    address: str
    since: float  # seconds since 1970
    received: int  # frames
    sent: int
    backlog: int  # frames that wait for the client to read


@dataclass(slots=True)
class _Question:
    """A question, and who has yet to answer it."""

    missing: set[str]
    answers: dict[str, dict] = field(default_factory=dict)
    all_here: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, id: str, answer: dict) -> None:
        self.answers[id] = answer
        self.missing.discard(id)
        if not self.missing:
            self.all_here.set()


class Processes:
    """This process among the others. `figures` returns what it says of itself, in numbers."""

    def __init__(
        self, layer: BaseChannelLayer, watch: Watch, sockets: Sockets, figures: Callable[[], dict[str, Any]]
    ):
        self.layer = layer
        self.watch = watch
        self.sockets = sockets
        self.figures = figures
        self.known: dict[str, Process] = {}  # by the group that a process has for itself
        self.me: dict[str, Any] = {
            "id": watch.group,
            "host": platform.node(),
            "pid": os.getpid(),
            "since": round(time.time()),
        }
        self._clock = time.time() - sockets.loop.time()  # what makes wall time of the loop's
        self._questions: dict[str, _Question] = {}
        self._rate = 0.0  # events a second, of late
        self._answering = 0
        self._turn = asyncio.Lock()  # to send, so that the goodbye is the last that is heard
        self._gone = False

    # Who is there

    async def run(self) -> None:
        clock, at, events = self.sockets.loop.time, self.sockets.loop.time(), stats.events
        while not self._gone:
            await asyncio.sleep(HERE_SECONDS)
            self._rate = (stats.events - events) / (clock() - at)
            at, events = clock(), stats.events
            if not self.watch.away:
                with suppress(Exception):  # each layer has its own; the watch notices as well
                    await self._send(EVERYWHERE, {"type": HERE})
            self._forget()

    async def leave(self) -> None:
        """Say goodbye: this process ends."""
        if not self.watch.away:
            with suppress(Exception):
                await self._send(EVERYWHERE, {"type": GONE})

    def take(self, event: dict) -> None:
        """Hear what a process says."""
        speaker = event["from"]
        if event["type"] == GONE:
            self.known.pop(speaker["id"], None)
            return
        self.known[speaker["id"]] = Process(speaker["host"], speaker["pid"], speaker["since"], time.time())
        if event["type"] == QUESTION:
            if self._answering < MAX_QUESTIONS:
                self.sockets.spawn(self._answer(event))
        elif event["type"] == ANSWER and event["key"] in self._questions:
            self._questions[event["key"]].put(speaker["id"], event["answer"])

    def _forget(self) -> None:
        now = time.time()
        heard = sorted(self.known.items(), key=lambda item: item[1].heard)[-MAX_PROCESSES:]
        self.known = {id: process for id, process in heard if now - process.heard < FORGET_SECONDS}

    # Questions

    async def look(self, search: str, sort: str, descending: bool) -> dict[str, dict]:
        """What each process says of itself, its `figures`, and which of its sockets match, its `sockets`.

        It names the first `MAX_SOCKETS` in the order of the field `sort`; `matching` is how many there are.
        """
        return await self._ask(
            EVERYWHERE, {"do": "look", "search": search, "sort": sort, "descending": descending}
        )

    async def figures_of_all(self) -> dict[str, dict]:
        """What each process says of itself, its `figures`, and who is connected: the ids in `users`."""
        return await self._ask(EVERYWHERE, {"do": "count"})

    async def end_socket(self, process: str, id: str) -> dict[str, dict]:
        """Close a socket of a process. Its answer has in `ended` whether it still had that one."""
        return await self._ask(process, {"do": "end", "socket": id}) if process in self.known else {}

    async def end_user(self, user_id: int) -> dict[str, dict]:
        """Close all sockets of a user. Each process answers with those that it had, in `ended`."""
        return await self._ask(EVERYWHERE, {"do": "end", "user": user_id})

    async def _ask(self, group: str, question: dict) -> dict[str, dict]:
        """Put a question to a group of processes; return the answers of those that give one, by their ids.

        Raises ConnectionError if nobody does, for instance since the channel layer is away.
        """
        if self.watch.away:
            raise ConnectionError("The channel layer does not answer")
        key = uuid4().hex
        asked = self._questions[key] = _Question(self._expected() if group == EVERYWHERE else {group})
        try:
            await self._send(group, {"type": QUESTION, "key": key, "question": question})
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await asked.all_here.wait()
        except Exception as error:  # each layer has its own
            self.watch.failed(error)
            raise ConnectionError("The channel layer does not answer") from error
        finally:
            del self._questions[key]
        if not asked.answers:
            who = "No process answers" if group == EVERYWHERE else "Its process does not answer"
            raise ConnectionError(who)
        return asked.answers

    def _expected(self) -> set[str]:
        """Whose answers are waited for: not those of processes that have not been heard for a while."""
        since = time.time() - 2.5 * HERE_SECONDS
        return {self.watch.group} | {id for id, process in self.known.items() if process.heard > since}

    async def _answer(self, event: dict) -> None:
        self._answering += 1
        try:
            answer = await self._carry_out(event["question"])
            await self._send(event["from"]["id"], {"type": ANSWER, "key": event["key"], "answer": answer})
        except Exception as error:
            logger.warning("could not answer %s: %r", event["from"], error)
        finally:
            self._answering -= 1

    async def _carry_out(self, question: dict) -> dict:
        if question["do"] == "end":
            return {"ended": self._end(question)}
        figures = {"events": round(self._rate, 1), "memory": resident_memory(), **self.figures()}
        if question["do"] == "count":
            return {"figures": figures, "users": list(self.sockets.of_user)}
        found = await self._find(question["search"].casefold())
        first = heapq.nlargest if question["descending"] else heapq.nsmallest
        shown = first(MAX_SOCKETS, found, key=itemgetter(question["sort"], "since"))
        return {"figures": figures, "matching": len(found), "sockets": shown}

    async def _find(self, search: str) -> list[SocketInfo]:
        found = []
        for batch in batched(self.sockets, BATCH):
            for each in map(self._describe, batch):
                text = f"{each['user']}\n{each['consumer']}\n{each['path']}\n{each['address']}"
                if not search or search in text.casefold():
                    found.append(each)
            await asyncio.sleep(0)
        return found

    def _describe(self, socket: Socket) -> SocketInfo:
        return {
            "id": socket.socket_id,
            "process": self.me["id"],
            "at": f"{self.me['host']} {self.me['pid']}",
            "user": socket.user.get_username(),
            "user_id": socket.user.pk,
            "consumer": type(socket).__name__,
            "path": socket.scope["path"][:300],
            "address": str((socket.scope.get("client") or ["unknown"])[0]),
            "since": round(self._clock + socket.opened_at, 3),
            "received": socket.received,
            "sent": socket.outbox.sent,
            "backlog": len(socket.outbox),
        }

    def _end(self, question: dict) -> list[SocketInfo]:
        if "user" in question:
            chosen = list(self.sockets.of_user.get(question["user"], ()))
        else:
            chosen = [each for each in self.sockets if each.socket_id == question["socket"]]
        chosen = [each for each in chosen if each.is_open]  # and not closed already
        for each in chosen:
            self.sockets.spawn(each.close(ENDED_BY_STAFF, "The staff has ended this connection"))
        return [self._describe(each) for each in chosen]

    async def _send(self, group: str, event: dict) -> None:
        event["from"] = self.me
        async with asyncio.timeout(SEND_SECONDS), self._turn:
            if self._gone:
                return
            self._gone = event["type"] == GONE
            try:
                await self.layer.group_send(group, event)
            except Exception:  # a connection that was lost raises once, and is replaced
                await self.layer.group_send(group, event)


def resident_memory() -> int | None:
    """How many bytes of memory this process has; None where there is no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
