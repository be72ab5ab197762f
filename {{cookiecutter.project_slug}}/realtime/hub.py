"""The hub: which sockets of this process are in which groups of the channel layer.

A plain Channels consumer has a channel of its own, so an event for 5,000 sockets is queued, decoded,
dispatched and encoded 5,000 times. Here a process holds one channel per group; an event arrives once, as
text that its publisher encoded, and goes straight to the members' outboxes.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from typing import Any

from channels.layers import get_channel_layer

from realtime.events import ANSWER, EVERYWHERE, GAP, GONE, HERE, KICK, PROBE, QUESTION, check_group
from realtime.group import Group
from realtime.history import History
from realtime.lag import LagSampler
from realtime.processes import Processes
from realtime.revocation import Revocation
from realtime.sockets import Member, Sockets
from realtime.stats import stats
from realtime.watch import LAYER_SECONDS, Watch

logger = logging.getLogger("realtime")


class Hub:
    """All groups and sockets of this process. It lives on one event loop; see `get_hub`."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.layer = get_channel_layer()
        self.sockets = Sockets()
        self.spawn = self.sockets.spawn
        self.groups: dict[str, Group] = {}
        self.draining = False
        self.at_drain: list[Callable[[float], Coroutine[Any, Any, None]]] = []  # given the seconds
        self.watch = Watch(self.layer, self.groups, self.sockets)
        self.revocation = Revocation(self.sockets)
        self.lag = LagSampler()
        self.processes = Processes(self.layer, self.watch, self.sockets, self.figures)
        self.layer.on_gap = self.watch.missed_events
        self._started: asyncio.Task | None = None
        self._serving: asyncio.Task | None = None

    @property
    def away(self) -> bool:
        """Whether the channel layer is known not to answer."""
        return self.watch.away

    async def probe(self) -> None:
        """Return when an event has gone through the channel layer and come back; raise if it does not."""
        await self.start()
        await self.watch.probe()

    def age(self) -> float:
        """For how many seconds the oldest event has waited to be handed out; 0 if none waits."""
        return max((group.age() for group in self.groups.values()), default=0.0)

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
                group = self.groups[name] = Group(name, self.sockets)
                await self._open(group, None)
        self._serving = self.spawn(self.layer.serve())
        self.spawn(self.watch.run())
        self.spawn(self.revocation.run())
        self.spawn(self.processes.run())

    def figures(self) -> dict[str, Any]:
        """What this process says of itself to those who ask."""
        lag, lag_max = self.lag.recent()
        return {"sockets": len(self.sockets), "draining": self.draining, "lag": lag, "lag_max": lag_max}

    def drain(self) -> None:
        """Refuse who comes from now on: sockets, and what processes without sockets publish."""
        self.draining = True
        self.spawn(self.sockets.reconnect(self.sockets.subscriptions))
        if self._serving is not None:
            self._serving.cancel()

    async def join(self, name: str, member: Member, history: History | None = None) -> Group:
        """Make a socket a member of a group; raises what the layer raises when it cannot be reached.

        With a history, stored events are kept from the member until it has read that; see `Group.is_level`.
        """
        group = self.groups.get(name)
        if group is None:
            check_group(name)
            group = self.groups[name] = Group(name, self.sockets)
            group.opened = self.spawn(self._open(group, history))
        group.members[member] = None if history else 0
        try:
            await asyncio.shield(group.opened)
        except BaseException:
            self.leave(group, member)
            raise
        return group

    def leave(self, group: Group, member: Member) -> None:
        """Undo `join`. A group joined anew gets a new channel, so closing the old one cannot harm it."""
        group.members.pop(member, None)
        if not group.members and self.groups.get(group.name) is group:
            del self.groups[group.name]
            self.spawn(self._close(group))

    async def _open(self, group: Group, history: History | None) -> None:
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
        group.stop()

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
            if event.get("from") != self.watch.group:  # its own was carried out at once
                self.revocation.kick(event)
        elif event["type"] == PROBE:
            self.watch.heard(event["key"])
        elif event["type"] == GAP:
            group.lost(event["key"], event["age"])
        elif event["type"] in (HERE, GONE, QUESTION, ANSWER):
            self.processes.take(event)
        else:
            stats.events += 1
            group.take(event)


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
