"""The hub: fan-out of the channel layer's events to the sockets of this process.

A plain Channels consumer has a channel of its own, so an event for 5,000 sockets is queued, decoded,
dispatched and encoded 5,000 times. Here a process holds one channel per group; an event arrives once, as
text that its publisher encoded, and goes straight to the members' outboxes.
"""

import asyncio
import logging
import os
import random
from collections import deque
from collections.abc import Iterable
from contextvars import copy_context
from itertools import batched
from typing import TYPE_CHECKING

from channels.consumer import get_handler_name
from channels.layers import get_channel_layer

from realtime.events import EVERYWHERE, GAP, KICK, PROBE, TEXT
from realtime.revocation import Revocation
from realtime.sequence import Sequence
from realtime.watch import LAYER_SECONDS, Watch

if TYPE_CHECKING:
    from realtime.consumer import RealtimeConsumer
    from realtime.history import History

logger = logging.getLogger("realtime")

BATCH = 50  # sends between two turns of the event loop, so that its lag stays at a few milliseconds
ORDER_SECONDS = 2  # to wait for an event that another one names as its predecessor
DROP_SECONDS = 1  # that events of a group wait before those that are droppable are left out
TELL_SECONDS = 10  # between two lines in the log that say so
MAX_EVENTS = 1000  # that wait to be handed out to a group
MAX_SIZE = 16 * 2**20  # characters of those
SPREAD_SECONDS = 3  # in which clients come back, not all at once
SOONEST_SECONDS = 0.3  # for what was away to be back in all parts
HANDSHAKES = 200  # a second that a process can be expected to bear; more clients take longer to come back


class Group:
    """The members of a group in this process, and the channel that they share."""

    def __init__(self, name: str):
        self.name = name
        # How far each is: the key of the newest event that it was sent; None while it reads the history.
        self.members: dict[RealtimeConsumer, int | None] = {}
        self.channel = ""
        self.opened: asyncio.Task
        self.pump: asyncio.Task | None = None
        self.inbox: deque[tuple[float, dict]] = deque()  # when events came, and those that wait
        self.size = 0
        self.delivery: asyncio.Task | None = None
        self.sequence = Sequence()
        self.sent = 0  # the key of the newest event that was handed out
        self.timer: asyncio.TimerHandle | None = None


class Hub:
    """All groups and sockets of this process. It lives on one event loop; see `get_hub`."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.layer = get_channel_layer()
        self.sockets: set[RealtimeConsumer] = set()
        self.of_user: dict[int, set[RealtimeConsumer]] = {}
        self.groups: dict[str, Group] = {}
        self.draining = False
        self.watch = Watch(self)
        self.revocation = Revocation(self)
        self.layer.on_gap = self.watch.missed_events
        self._started: asyncio.Task | None = None
        self._tasks: set[asyncio.Task] = set()
        self._dropped, self._told_at = 0, 0.0

    @property
    def away(self) -> bool:
        """Whether the channel layer is known not to answer."""
        return self.watch.away

    async def probe(self) -> None:
        """Return when an event has gone through the channel layer and come back; raise if it does not."""
        await self.start()
        await self.watch.probe()

    # Membership

    async def start(self) -> None:
        """Listen to what is said to all processes; raises what the layer raises."""
        if self.away:
            raise ConnectionError("the channel layer is away")
        if self._started is None or (self._started.done() and self._started.exception()):
            self._started = self.spawn(self._start())
        await asyncio.shield(self._started)

    async def _start(self) -> None:
        for name in (EVERYWHERE, self.watch.group):
            if name not in self.groups:
                group = self.groups[name] = Group(name)
                await self._open(group, None)
        self.spawn(self.watch.run())
        self.spawn(self.revocation.run())

    def add(self, socket: "RealtimeConsumer") -> None:
        self.sockets.add(socket)
        self.of_user.setdefault(socket.user.pk, set()).add(socket)

    def remove(self, socket: "RealtimeConsumer") -> bool:
        """Undo `add`; say whether it was the user's last socket."""
        self.sockets.discard(socket)
        own = self.of_user.get(socket.user.pk, set())
        own.discard(socket)
        if not own:
            self.of_user.pop(socket.user.pk, None)
        return not own

    async def join(self, name: str, member: "RealtimeConsumer", history: "History | None" = None) -> Group:
        """Make a socket a member of a group; raises what the layer raises when it cannot be reached.

        With a history, stored events are kept from the member until it has read that; see `is_level`.
        """
        group = self.groups.get(name)
        if group is None:
            group = self.groups[name] = Group(name)
            group.opened = self.spawn(self._open(group, history))
        group.members[member] = None if history else 0
        try:
            await asyncio.shield(group.opened)
        except BaseException:
            self.leave(group, member)
            raise
        return group

    def leave(self, group: Group, member: "RealtimeConsumer") -> None:
        """Undo `join`. A group joined anew gets a new channel, so closing the old one cannot harm it."""
        group.members.pop(member, None)
        if not group.members and self.groups.get(group.name) is group:
            del self.groups[group.name]
            self.spawn(self._close(group))

    def is_level(self, group: Group, member: "RealtimeConsumer", position: int) -> bool:
        """Whether a member that has read the history up to a key gets all that follows as it happens."""
        if group.sent > position:
            return False
        if group.sequence.last is None:
            group.sequence.last = position
        if member in group.members:
            group.members[member] = position
        return True

    def spawn(self, coroutine) -> asyncio.Task:
        """Run a coroutine in a task that is not garbage-collected while it runs."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _open(self, group: Group, history: "History | None") -> None:
        try:
            try:
                async with asyncio.timeout(LAYER_SECONDS):
                    group.channel = await self.layer.new_channel()
                    await self.layer.group_add(group.name, group.channel)
            except Exception as error:  # each layer has its own
                raise ConnectionError(f"the channel layer does not answer: {error!r}") from error
            group.pump = self.spawn(self._pump(group))
            if history is not None:
                group.sequence.last = max(await history.newest(), group.sequence.last or 0)
        except BaseException:
            if self.groups.get(group.name) is group:
                del self.groups[group.name]
            if group.pump is not None:
                group.pump.cancel()
            raise

    async def _close(self, group: Group) -> None:
        try:
            await group.opened
            async with asyncio.timeout(LAYER_SECONDS):
                await self.layer.group_discard(group.name, group.channel)
        except Exception as error:
            logger.debug("could not leave %s: %r", group.name, error)
        for waiting in (group.pump, group.timer):
            if waiting is not None:
                waiting.cancel()

    # Events

    async def _pump(self, group: Group) -> None:
        """Take what arrives for a group, for as long as it has members here, whatever the layer raises."""
        while True:
            try:
                event = await self.layer.receive(group.channel)
            except Exception as error:
                self.watch.missed_events(error)
                await asyncio.sleep(0.5)
                continue
            try:
                self._take(group, event)
            except Exception:
                logger.exception("could not take an event for %s", group.name)

    def _take(self, group: Group, event: dict) -> None:
        if event["type"] == KICK:
            self.revocation.kick(event)
        elif event["type"] == PROBE:
            self.watch.heard(event["key"])
        elif event["type"] == GAP:
            self._gap(group, event["key"], event["age"])
        elif event.get("after") is None:
            self._queue(group, event)
        else:
            self._hand_out(group, group.sequence.accept(event))

    def _hand_out(self, group: Group, ready: list[dict]) -> None:
        for event in ready:
            self._queue(group, event)
        waiting = group.sequence.waiting
        if not waiting and group.timer is not None:
            group.timer.cancel()
            group.timer = None
        elif len(waiting) > MAX_EVENTS:
            self._skip(group)
        elif waiting and group.timer is None:
            group.timer = self.loop.call_later(ORDER_SECONDS, self._skip, group)

    def _skip(self, group: Group) -> None:
        """The event that others wait for is lost, or its process is."""
        group.timer = None
        logger.warning("an event for %s did not arrive; who lacks it comes back for it", group.name)
        self._gap(group, group.sequence.missing)

    def _gap(self, group: Group, key: int | None, age: float = 0) -> None:
        """An event was lost, so many seconds ago: have the members that lack it reconnect.

        Who reads the history finds what is stored there; of the rest (no key) those lack it who were here.
        """
        if key is None:
            since = self.loop.time() - age
            return self._send_back(group, [member for member in group.members if member.opened_at < since])
        lacking = [member for member, sent in group.members.items() if sent is not None and sent < key]
        self._send_back(group, lacking)
        self._hand_out(group, group.sequence.skip(key))

    def _send_back(self, group: Group, members: list["RealtimeConsumer"]) -> None:
        """Have members reconnect; until then nothing stored is sent to them, who lack what was before."""
        for member in members:
            group.members[member] = None
        self.spawn(self.dismiss(members))

    def send_all_back(self) -> None:
        """Any event may have been lost: have everybody reconnect. Order begins anew with who comes back."""
        for group in self.groups.values():
            group.sequence = Sequence()
            if group.timer is not None:  # what it waits for is in the database, like all that is stored
                group.timer.cancel()
                group.timer = None
            group.members = dict.fromkeys(group.members)
        self.spawn(self.dismiss(self.sockets))

    def _queue(self, group: Group, event: dict) -> None:
        """Have an event handed out after those that came before it, of which there may be too many."""
        now = self.loop.time()
        if event.get("droppable") and group.inbox and now - group.inbox[0][0] > DROP_SECONDS:
            self._dropped += 1
            return self._tell_of_delay()
        group.inbox.append((now, event))
        group.size += len(event.get("text", ""))
        if len(group.inbox) > MAX_EVENTS or group.size > MAX_SIZE:
            logger.warning("too many events wait for %s; its members come back for them", group.name)
            group.inbox.clear()
            group.size = 0
            self._send_back(group, list(group.members))
        if group.delivery is None:
            group.delivery = self.spawn(self._deliver(group))

    def age(self) -> float:
        """For how many seconds the oldest event has waited to be handed out; 0 if none waits."""
        since = min((group.inbox[0][0] for group in self.groups.values() if group.inbox), default=None)
        return 0.0 if since is None else self.loop.time() - since

    def _tell_of_delay(self) -> None:
        now = self.loop.time()
        if now > self._told_at + TELL_SECONDS:
            logger.warning("events wait for %.1f s; %d were dropped", self.age(), self._dropped)
            self._told_at, self._dropped = now, 0

    async def _deliver(self, group: Group) -> None:
        while group.inbox:
            came, event = group.inbox[0]
            if self.loop.time() - came > DROP_SECONDS:
                self._tell_of_delay()
            try:
                await self._fan_out(group, event)
            except Exception:
                logger.exception("could not deliver an event to %s", group.name)
            if group.inbox and group.inbox[0][1] is event:
                group.inbox.popleft()
                group.size -= len(event.get("text", ""))
        group.delivery = None

    async def _fan_out(self, group: Group, event: dict) -> None:
        key, members = event.get("key"), self._recipients(group, event)
        if event["type"] != TEXT:  # a plain `group_send`, which calls the method that the type names
            name = get_handler_name(event)
            for member in members:
                member.take_event(name, event)
            return
        if key is not None:
            group.sent = key
        message = {"type": "websocket.send", "text": event["text"]}
        context = copy_context()  # one for all sends: a copy for each costs more than the send's own task
        for batch in batched(members, BATCH):
            for member in batch:
                if key is not None:
                    sent = group.members.get(member)
                    if sent is None or sent >= key:  # it finds this in the history, or has found it there
                        continue
                    group.members[member] = key
                member.outbox.push(message, context)
            await asyncio.sleep(0)

    def _recipients(self, group: Group, event: dict) -> list["RealtimeConsumer"]:
        to, exclude = event.get("to"), event.get("exclude")
        if to is not None:
            own = self.of_user.get(to, ()) if to != exclude else ()
            return [member for member in own if member in group.members]
        if exclude is not None:
            return [member for member in group.members if member.user.pk != exclude]
        return list(group.members)

    # The end of sockets

    async def dismiss(self, sockets: Iterable["RealtimeConsumer"]) -> None:
        """Tell clients to come back, spread in time, and close their sockets."""
        sockets = list(sockets)
        spread = max(SPREAD_SECONDS, len(sockets) / HANDSHAKES)
        tasks = []
        for batch in batched(sockets, BATCH):
            for socket in batch:
                after = random.uniform(SOONEST_SECONDS, spread)
                tasks.append(self.spawn(socket.send_away(after)))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)


_hub: Hub | None = None


def get_hub() -> Hub:
    """The hub of the running event loop; a process serves sockets on one."""
    global _hub
    if _hub is None or _hub.loop is not asyncio.get_running_loop():
        if _hub is not None and _hub.loop.is_running():
            raise RuntimeError("This process serves sockets on another event loop")
        _hub = Hub()
    return _hub


def serving_hub() -> Hub | None:
    """The hub of this process if it serves sockets, from any thread."""
    return _hub if _hub is not None and _hub.loop.is_running() else None


def _start_anew() -> None:
    """A forked child does not run its parent's event loop."""
    global _hub
    _hub = None


os.register_at_fork(after_in_child=_start_anew)
