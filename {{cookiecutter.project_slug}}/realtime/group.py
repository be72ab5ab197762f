"""Fan-out: what arrives for a group goes to its members here, in order, and not faster than they take it."""

import asyncio
import logging
import time
from bisect import bisect
from collections import deque
from contextvars import copy_context
from itertools import batched

from channels.consumer import get_handler_name

from realtime.events import TEXT
from realtime.sequence import Sequence
from realtime.sockets import BATCH, Member, Sockets
from realtime.stats import stats

logger = logging.getLogger("realtime")

ORDER_SECONDS = 2  # to wait for an event that another one names as its predecessor
DROP_SECONDS = 1  # that events of a group wait before those that are droppable are left out
LOG_SECONDS = 10  # between two lines in the log that say so
MAX_EVENTS = 1000  # that wait to be handed out to a group
MAX_SIZE = 16 * 2**20  # characters of those
MAX_TOGETHER = 10  # events that a member is sent at once, when so many wait
MAX_SIZE_TOGETHER = 2**15  # characters of those; less than a server's buffer


class Group:
    """The members of a group in this process, and the channel that they share."""

    def __init__(self, name: str, sockets: Sockets):
        self.name = name
        self.sockets = sockets
        # How far each is: the key of the newest event that it was sent; None while it reads the history.
        self.members: dict[Member, int | None] = {}
        self.channel = ""
        self.opened: asyncio.Task
        self.pump: asyncio.Task | None = None
        self.inbox: deque[tuple[float, dict]] = deque()  # when events came, and those that wait
        self.size = 0
        self.delivery: asyncio.Task | None = None
        self.sequence = Sequence()
        self.sent = 0  # the key of the newest event that was handed out
        self.timer: asyncio.TimerHandle | None = None

    def take(self, event: dict) -> None:
        """Hand out an event, in its turn if it has one."""
        if event.get("after") is None:
            self._queue(event)
        else:
            self._hand_out(self.sequence.accept(event))

    def is_level(self, member: Member, position: int) -> bool:
        """Whether a member that has read the history up to a key gets all that follows as it happens."""
        if self.sent > position:
            return False
        if self.sequence.last is None:
            self.sequence.last = position
        if member in self.members:
            self.members[member] = position
        return True

    def age(self) -> float:
        """For how many seconds the oldest event has waited to be handed out; 0 if none waits."""
        return self.sockets.loop.time() - self.inbox[0][0] if self.inbox else 0.0

    def stop(self) -> None:
        for waiting in (self.pump, self.timer):
            if waiting is not None:
                waiting.cancel()

    # Order

    def _hand_out(self, ready: list[dict]) -> None:
        for event in ready:
            self._queue(event)
        waiting = self.sequence.waiting
        if not waiting and self.timer is not None:
            self._stop_timer()
        elif len(waiting) > MAX_EVENTS:
            self._skip()
        elif waiting and self.timer is None:
            self.timer = self.sockets.loop.call_later(ORDER_SECONDS, self._skip)

    def _skip(self) -> None:
        """The event that others wait for is lost, or its process is."""
        self.timer = None
        stats.events_missed += 1
        logger.warning("an event for %s did not arrive; who lacks it comes back for it", self.name)
        self.lost(self.sequence.missing)

    def lost(self, key: int | None, age: float = 0) -> None:
        """An event was lost, so many seconds ago: have the members that lack it reconnect.

        Who reads the history finds what is stored there; of the rest (no key) those lack it who were here.
        """
        if key is None:
            since = self.sockets.loop.time() - age
            return self._reconnect([member for member in self.members if member.opened_at < since])
        self._reconnect([member for member, sent in self.members.items() if sent is not None and sent < key])
        self._hand_out(self.sequence.skip(key))

    def begin_anew(self) -> None:
        """Any event may have been lost, and all members reconnect: order begins with who comes back."""
        self.sequence = Sequence()
        self._stop_timer()  # what it waits for is in the database, like all that is stored
        self.members = dict.fromkeys(self.members)

    def _reconnect(self, members: list[Member]) -> None:
        """Have members reconnect; until then nothing stored is sent to them, who lack what was before."""
        for member in members:
            self.members[member] = None
        self.sockets.spawn(self.sockets.reconnect(members))

    def _stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    # Delivery

    def _queue(self, event: dict) -> None:
        """Have an event handed out after those that came before it, of which there may be too many."""
        now = self.sockets.loop.time()
        if event.get("droppable") and self.inbox and now - self.inbox[0][0] > DROP_SECONDS:
            _delay.dropped += 1
            stats.events_dropped += 1
            return _delay.log(self.age())
        self.inbox.append((now, event))
        self.size += len(event.get("text", ""))
        if len(self.inbox) > MAX_EVENTS or self.size > MAX_SIZE:
            logger.warning("too many events wait for %s; its members come back for them", self.name)
            stats.events_dropped += len(self.inbox)
            self.inbox.clear()
            self.size = 0
            self._reconnect(list(self.members))
        if self.delivery is None:
            self.delivery = self.sockets.spawn(self._deliver())

    async def _deliver(self) -> None:
        while self.inbox:
            came, event = self.inbox[0]
            if self.sockets.loop.time() - came > DROP_SECONDS:
                _delay.log(self.age())
            events = self._next()
            try:
                await self._fan_out(events)
            except Exception:
                logger.exception("could not deliver an event to %s", self.name)
            for event in events:
                if self.inbox and self.inbox[0][1] is event:
                    self.inbox.popleft()
                    self.size -= len(event.get("text", ""))
        self.delivery = None

    def _next(self) -> list[dict]:
        """The event that is next, and those after it that go the same way: what waits is sent in one."""
        events: list[dict] = []
        size = 0
        for _, event in self.inbox:
            size += len(event.get("text", ""))
            if events and not (goes_with(events[-1], event) and size <= MAX_SIZE_TOGETHER):
                break
            events.append(event)
            if len(events) == MAX_TOGETHER:
                break
        return events

    async def _fan_out(self, events: list[dict]) -> None:
        first = events[0]
        members = self._recipients(first)
        if first["type"] != TEXT:  # a plain `group_send`, which calls the method that the type names
            name = get_handler_name(first)
            for member in members:
                member.take_event(name, first)
            return
        texts = tuple(event["text"] for event in events)
        keys = [event["key"] for event in events if "key" in event]
        if keys:
            self.sent = keys[-1]
        context = copy_context()  # one for all sends: a copy for each costs more than the send's own task
        for batch in batched(members, max(1, BATCH // len(texts))):
            for member in batch:
                if not keys:
                    member.outbox.push(texts, context)
                elif (sent := self.members.get(member)) is not None and sent < keys[-1]:
                    self.members[member] = keys[-1]
                    new = texts[bisect(keys, sent) :]  # the others it finds, or has found, in the history
                    member.outbox.push(new, context)
            await asyncio.sleep(0)

    def _recipients(self, event: dict) -> list[Member]:
        to, exclude = event.get("to"), event.get("exclude")
        if to is not None:
            own = self.sockets.of_user.get(to, ()) if to != exclude else ()
            return [member for member in own if member in self.members]
        if exclude is not None:
            return [member for member in self.members if member.user.pk != exclude]
        return list(self.members)


def goes_with(before: dict, event: dict) -> bool:
    """Whether an event has the same recipients as the one before it, and they tell by keys what they have."""
    if before["type"] != TEXT or event["type"] != TEXT or not {"to", "exclude"}.isdisjoint((*before, *event)):
        return False
    return before["key"] < event.get("key", 0) if "key" in before else "key" not in event


class _Delay:
    """What the log says of events that wait: of all groups together, and not too often."""

    def __init__(self):
        self.dropped, self.logged_at = 0, 0.0

    def log(self, age: float) -> None:
        now = time.monotonic()
        if now > self.logged_at + LOG_SECONDS:
            logger.warning("events wait for %.1f s; %d were dropped", age, self.dropped)
            self.logged_at, self.dropped = now, 0


_delay = _Delay()
