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
from uuid import uuid4

from channels.consumer import get_handler_name
from channels.layers import get_channel_layer

from realtime.codes import NOT_AUTHENTICATED
from realtime.events import EVERYWHERE, GAP, KICK, PROBE, TEXT
from realtime.logins import logins_of
from realtime.sequence import Sequence

if TYPE_CHECKING:
    from realtime.consumer import RealtimeConsumer
    from realtime.history import History

logger = logging.getLogger("realtime")

BATCH = 50  # sends between two turns of the event loop, so that its lag stays at a few milliseconds
LAYER_SECONDS = 3  # for the channel layer to answer
PROBE_SECONDS = 5  # between two looks at the channel layer
REVIEW_SECONDS = 45  # between two looks at the users
REFRESH_SECONDS = 3600  # layers forget a membership a day after it was made
KICK_SECONDS = 60  # for which a kick also holds for handshakes that began before it
ORDER_SECONDS = 2  # to wait for an event that another one names as its predecessor
DROP_SECONDS = 1  # that events of a group wait before those that are droppable are left out
TELL_SECONDS = 10  # between two lines in the log that say so
MAX_EVENTS = 1000  # that wait to be handed out to a group
MAX_SIZE = 16 * 2**20  # characters of those
SPREAD_SECONDS = 3  # in which clients come back, not all at once
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
        self.layer.on_gap = self._missed_events
        self.sockets: set[RealtimeConsumer] = set()
        self.of_user: dict[int, set[RealtimeConsumer]] = {}
        self.groups: dict[str, Group] = {}
        self.draining = False
        self.away = False  # the channel layer does not answer
        self._own = f"realtime.process.{uuid4().hex}"  # a group of its own, to hear itself
        self._started: asyncio.Task | None = None
        self._tasks: set[asyncio.Task] = set()
        self._recovery: asyncio.Task | None = None
        self._missed = False  # events may have been lost since the layer was last known to work
        self._probes: dict[str, asyncio.Future] = {}
        self._kicked: dict[int, float] = {}
        self._dropped, self._told_at = 0, 0.0

    # Membership

    async def start(self) -> None:
        """Listen to what is said to all processes; raises what the layer raises."""
        if self.away:
            raise ConnectionError("the channel layer is away")
        if self._started is None or (self._started.done() and self._started.exception()):
            self._started = self.spawn(self._start())
        await asyncio.shield(self._started)

    async def _start(self) -> None:
        for name in (EVERYWHERE, self._own):
            if name not in self.groups:
                group = self.groups[name] = Group(name)
                await self._open(group, None)
        self.spawn(self._watch())
        self.spawn(self._review())

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
        await asyncio.shield(group.opened)
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
                group.sequence.last = await history.newest()
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
                self._missed_events(error)
                await asyncio.shield(self._recovery)
                continue
            try:
                self._take(group, event)
            except Exception:
                logger.exception("could not take an event for %s", group.name)

    def _take(self, group: Group, event: dict) -> None:
        if event["type"] == KICK:
            self.kick(event)
        elif event["type"] == PROBE:
            arrived = self._probes.get(event["key"])
            if arrived is not None and not arrived.done():
                arrived.set_result(None)
        elif event["type"] == GAP:
            self._gap(group, event["key"])
        elif event.get("after") is None:
            self._queue(group, event)
        else:
            for ready in group.sequence.accept(event):
                self._queue(group, ready)
            self._wait_for_the_rest(group)

    def _wait_for_the_rest(self, group: Group) -> None:
        waiting = group.sequence.waiting
        if not waiting and group.timer is not None:
            group.timer.cancel()
            group.timer = None
        elif len(waiting) > MAX_EVENTS:
            self._skip(group)
        elif waiting and group.timer is None:
            group.timer = self.loop.call_later(ORDER_SECONDS, self._skip, group)

    def _skip(self, group: Group) -> None:
        """What came before some event is lost, or its process is: members read both from the database."""
        group.timer = None
        if group.sequence.waiting:
            logger.warning("an event for %s did not arrive; who lacks it comes back for it", group.name)
            self._gap(group, group.sequence.skip())

    def _gap(self, group: Group, key: int | None) -> None:
        """An event was lost: have members that lack it reconnect; who reads the history finds it there."""
        if key is None:
            lacking = list(group.members)
        else:
            lacking = [member for member, sent in group.members.items() if sent is not None and sent < key]
        self._send_back(group, lacking)

    def _send_back(self, group: Group, members: list["RealtimeConsumer"]) -> None:
        """Have members reconnect; until then nothing stored is sent to them, who lack what was before."""
        for member in members:
            group.members[member] = None
        self.spawn(self.dismiss(members))

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

    def kick(self, event: dict) -> None:
        """Close a user's sockets, also those whose handshake is under way."""
        now = self.loop.time()
        self._kicked = {user: at for user, at in self._kicked.items() if now - at < KICK_SECONDS}
        self._kicked[event["user"]] = now
        for socket in tuple(self.of_user.get(event["user"], ())):
            self.spawn(socket.close(event["code"], event["reason"]))

    def was_kicked(self, user_id: int, since: float) -> bool:
        """Whether a user was put out after `since` (loop time): a proof read then holds no longer."""
        return self._kicked.get(user_id, 0) > since

    async def dismiss(self, sockets: Iterable["RealtimeConsumer"]) -> None:
        """Tell clients to come back, spread in time, and close their sockets."""
        sockets = list(sockets)
        spread = max(SPREAD_SECONDS, len(sockets) / HANDSHAKES)
        tasks = []
        for batch in batched(sockets, BATCH):
            for socket in batch:
                after = random.uniform(0, spread)  # noqa: S311
                tasks.append(self.spawn(socket.send_away(after)))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)

    async def _review(self) -> None:
        """Put out who may no longer be here but was not kicked: a query changes users without a signal."""
        while True:
            await asyncio.sleep(REVIEW_SECONDS)
            try:
                logins = await logins_of(list(self.of_user))
            except Exception as error:
                logger.warning("could not look whether users may still be here: %r", error)
                continue
            for socket in tuple(self.sockets):
                if logins.get(socket.user.pk, socket.login) != socket.login:
                    self.spawn(socket.close(NOT_AUTHENTICATED, "Log in again"))

    # The channel layer, which may go away

    async def probe(self) -> None:
        """Send an event through the layer to this process, and return when it arrives."""
        await self.start()
        await self._probe()

    async def _probe(self) -> None:
        key = uuid4().hex
        arrived = self._probes[key] = self.loop.create_future()
        try:
            async with asyncio.timeout(LAYER_SECONDS):
                await self.layer.group_send(self._own, {"type": PROBE, "key": key})
                await arrived
        finally:
            del self._probes[key]

    async def _watch(self) -> None:
        refresh_at = self.loop.time() + REFRESH_SECONDS
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            try:
                if not self.away:
                    await self._probe()
                if self.loop.time() > refresh_at:
                    await self._join_again()
                    refresh_at += REFRESH_SECONDS
            except Exception as error:
                self.lost(error)

    def lost(self, error: Exception) -> None:
        """The layer failed somebody: see whether it is there, and wait for it if not."""
        if self._recovery is None or self._recovery.done():
            self.away = True
            self._recovery = self.spawn(self._recover(error))

    def _missed_events(self, error: Exception | None = None) -> None:
        """The layer was away, or has a new connection: what was published meanwhile did not arrive."""
        self._missed = True
        self.lost(error or ConnectionError("a connection was replaced"))

    async def _recover(self, error: Exception) -> None:
        """Wait until the layer works, with all groups: one that was restarted has forgotten every member."""
        delay, attempt = 0.1, 0
        while True:
            try:
                if attempt:
                    async with asyncio.timeout(LAYER_SECONDS):
                        await self.layer.reset()
                if attempt or self._missed:
                    await self._join_again()
                await self._probe()
                break
            except Exception as failure:
                if not attempt:
                    logger.warning("the channel layer is away: %r, then %r", error, failure)
                attempt += 1
                self._missed = True
                await asyncio.sleep(delay)
                delay = min(2.0, delay * 2)
        self.away = False
        if self._missed:
            self._missed = False
            logger.warning("the channel layer is back; %d clients come back, too", len(self.sockets))
            self.spawn(self.dismiss(self.sockets))

    async def _join_again(self) -> None:
        async with asyncio.timeout(LAYER_SECONDS + len(self.groups) / 100):
            for group in [group for group in self.groups.values() if group.pump is not None]:
                await self.layer.group_add(group.name, group.channel)


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
