"""The hub: fan-out of the channel layer's events to the sockets of this process.

A plain Channels consumer has a channel of its own, so an event for 5,000 sockets is queued, decoded,
dispatched and encoded 5,000 times. Here a process holds one channel per group; an event arrives once, as
text that its publisher encoded, and goes straight to the members' outboxes.
"""

import asyncio
import logging
from contextvars import copy_context
from itertools import batched
from typing import TYPE_CHECKING
from uuid import uuid4

from channels.consumer import get_handler_name
from channels.layers import get_channel_layer

if TYPE_CHECKING:
    from realtime.consumer import RealtimeConsumer

logger = logging.getLogger("realtime")

TEXT = "hub.text"  # the type of events that carry an encoded frame
KICK = "hub.kick"  # the type of events that close a user's sockets
PROBE = "hub.probe"  # the type of events that a process sends to itself
EVERYWHERE = "realtime.processes"  # the group in which each process is a member
BATCH = 50  # sends between two turns of the event loop, so that its lag stays at a few milliseconds
KICK_SECONDS = 60  # for which a kick also holds for handshakes that began before it
REFRESH_SECONDS = 3600  # layers forget a membership a day after it was made


class Group:
    """The members of a group in this process, and the channel that they share."""

    __slots__ = ("channel", "members", "name", "opened", "pump")

    def __init__(self, name: str):
        self.name = name
        self.members: set[RealtimeConsumer] = set()
        self.channel = ""
        self.opened: asyncio.Task
        self.pump: asyncio.Task | None = None


class Hub:
    """All groups and sockets of this process. It lives on one event loop; see `get_hub`."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.layer = get_channel_layer()
        self.sockets: set[RealtimeConsumer] = set()
        self.groups: dict[str, Group] = {}
        self.draining = False
        self._tasks: set[asyncio.Task] = set()
        self._recovery: asyncio.Task | None = None
        self._probes: dict[str, asyncio.Future] = {}
        self._kicked: dict[int, float] = {}
        self.spawn(self._refresh())

    async def start(self) -> None:
        """Listen to what is said to all processes; raises what the layer raises."""
        await self.join(EVERYWHERE, self)

    async def join(self, name: str, member: "RealtimeConsumer | Hub") -> None:
        """Make a socket a member of a group; raises what the layer raises when it cannot be reached."""
        group = self.groups.get(name)
        if group is None:
            group = self.groups[name] = Group(name)
            group.opened = self.spawn(self._open(group))
        group.members.add(member)
        await asyncio.shield(group.opened)

    def leave(self, name: str, member: "RealtimeConsumer") -> None:
        """Undo `join`. A group joined anew gets a new channel, so closing the old one cannot harm it."""
        group = self.groups.get(name)
        if group is None:
            return
        group.members.discard(member)
        if not group.members:
            del self.groups[name]
            self.spawn(self._close(group))

    async def probe(self) -> None:
        """Send an event through the layer to this process, and return when it arrives."""
        await self.start()
        key = uuid4().hex
        arrived = self._probes[key] = self.loop.create_future()
        try:
            await self.layer.group_send(EVERYWHERE, {"type": PROBE, "key": key})
            await arrived
        finally:
            del self._probes[key]

    def spawn(self, coroutine) -> asyncio.Task:
        """Run a coroutine in a task that is not garbage-collected while it runs."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _open(self, group: Group) -> None:
        try:
            group.channel = await self.layer.new_channel()
            await self.layer.group_add(group.name, group.channel)
        except Exception:
            if self.groups.get(group.name) is group:
                del self.groups[group.name]
            raise
        group.pump = self.spawn(self._pump(group))

    async def _close(self, group: Group) -> None:
        try:
            await group.opened
            await self.layer.group_discard(group.name, group.channel)
        except Exception as error:
            logger.warning("could not leave %s: %r", group.name, error)
        if group.pump is not None:
            group.pump.cancel()

    async def _pump(self, group: Group) -> None:
        """Hand on what arrives for a group, for as long as it has members here, whatever the layer raises."""
        while True:
            try:
                event = await self.layer.receive(group.channel)
            except Exception as error:
                logger.warning("lost the channel layer (%r); joining again", error)
                await self._rejoin()
                continue
            try:
                await self._deliver(group, event)
            except Exception:
                logger.exception("could not deliver an event to %s", group.name)

    async def _deliver(self, group: Group, event: dict) -> None:
        if event["type"] == TEXT:
            await self._fan_out(group, event)
        elif event["type"] == KICK:
            self._kick(event)
        elif event["type"] == PROBE:
            arrived = self._probes.get(event["key"])
            if arrived is not None and not arrived.done():
                arrived.set_result(None)
        else:  # a plain `group_send`, which calls the method that the type names
            name = get_handler_name(event)
            for member in tuple(group.members):
                self.spawn(member.handle_event(name, event))

    def _kick(self, event: dict) -> None:
        now = self.loop.time()
        self._kicked = {user: at for user, at in self._kicked.items() if now - at < KICK_SECONDS}
        self._kicked[event["user"]] = now
        for socket in [socket for socket in self.sockets if socket.user.pk == event["user"]]:
            self.spawn(socket.close(event["code"], event["reason"]))

    def was_kicked(self, user_id: int, since: float) -> bool:
        """Whether a user was put out after `since` (loop time): a proof read then holds no longer."""
        return self._kicked.get(user_id, 0) > since

    async def _fan_out(self, group: Group, event: dict) -> None:
        message = {"type": "websocket.send", "text": event["text"]}
        key, to, exclude = event.get("key"), event.get("to"), event.get("exclude")
        members = list(group.members)
        if to is not None:
            members = [member for member in members if member.user.pk == to]
        if exclude is not None:
            members = [member for member in members if member.user.pk != exclude]
        context = copy_context()  # one for all sends: a copy for each costs more than the send's own task
        for batch in batched(members, BATCH):
            for member in batch:
                member.outbox.push(message, key, context)
            await asyncio.sleep(0)

    async def _rejoin(self) -> None:
        if self._recovery is None or self._recovery.done():
            self._recovery = self.spawn(self._recover())
        await asyncio.shield(self._recovery)

    async def _recover(self) -> None:
        """Join all groups again, not just one: a layer that was restarted has forgotten every member."""
        delay = 0.1
        while True:
            try:
                for group in [group for group in self.groups.values() if group.pump is not None]:
                    await self.layer.group_add(group.name, group.channel)
                logger.info("the channel layer is back")
                return
            except Exception as error:
                logger.debug("the channel layer is still away: %r", error)
                await asyncio.sleep(delay)
                delay = min(2.0, delay * 2)

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self._rejoin()


_hub: Hub | None = None


def get_hub() -> Hub:
    """The hub of the running event loop."""
    global _hub
    if _hub is None or _hub.loop is not asyncio.get_running_loop():
        _hub = Hub()
    return _hub


def serving_hub() -> Hub | None:
    """The hub of this process if it serves sockets, from any thread."""
    return _hub if _hub is not None and _hub.loop.is_running() else None
