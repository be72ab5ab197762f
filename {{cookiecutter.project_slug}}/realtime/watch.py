"""The watch over the channel layer, which may be away, hang, or have a new connection and not say so."""

import asyncio
import logging
from uuid import uuid4

from channels.layers import BaseChannelLayer

from realtime.events import PROBE
from realtime.group import Group
from realtime.sockets import Sockets
from realtime.stats import stats

logger = logging.getLogger("realtime")

LAYER_SECONDS = 3  # for the channel layer to answer
LATE_SECONDS = 30  # for a probe to arrive while other events do
AGAIN_SECONDS = 0.3  # after which a probe is sent again
PROBE_SECONDS = 5  # between two looks at it
REFRESH_SECONDS = 3600  # layers forget a membership a day after it was made


class Watch:
    """Sees to it that events arrive here; when some may not have, the clients come back for them."""

    def __init__(self, layer: BaseChannelLayer, groups: dict[str, Group], sockets: Sockets):
        self.layer = layer
        self.groups = groups
        self.sockets = sockets
        self.away = False  # the layer does not answer
        self.group = f"realtime.process.{uuid4().hex}"  # of this process alone, to hear itself
        self._missed = False  # events may have been lost since the layer was last known to work
        self._recovery: asyncio.Task | None = None
        self._probes: dict[str, asyncio.Future] = {}

    async def probe(self) -> None:
        """Send an event through the layer to this process, and return when it has arrived; else raise.

        It may wait behind others in a busy process: a layer whose events arrive is not away.
        """
        key = uuid4().hex
        arrived = self._probes[key] = asyncio.get_running_loop().create_future()
        silent = late = 0.0
        try:
            while silent < LAYER_SECONDS and late < LATE_SECONDS:
                events = stats.events
                async with asyncio.timeout(LAYER_SECONDS):  # again: one sent before a subscription is lost
                    await self.layer.group_send(self.group, {"type": PROBE, "key": key})
                if (await asyncio.wait([arrived], timeout=AGAIN_SECONDS))[0]:
                    return
                silent = silent + AGAIN_SECONDS if stats.events == events else 0.0
                late += AGAIN_SECONDS
            raise TimeoutError("what this process sends to itself does not arrive")
        finally:
            del self._probes[key]

    def heard(self, key: str) -> None:
        """A probe has arrived."""
        arrived = self._probes.get(key)
        if arrived is not None and not arrived.done():
            arrived.set_result(None)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        refresh_at = loop.time() + REFRESH_SECONDS
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            try:
                if not self.away:
                    await self.probe()
                if loop.time() > refresh_at:
                    await self._join_again()
                    refresh_at += REFRESH_SECONDS
            except Exception as error:  # each layer has its own
                self.failed(error)

    def failed(self, error: Exception) -> None:
        """The layer failed somebody: see whether it is there, and wait for it if not."""
        if self._recovery is None or self._recovery.done():
            self.away = True
            stats.layer_failures += 1
            self._recovery = self.sockets.spawn(self._recover(error))

    def missed_events(self, error: Exception | None = None) -> None:
        """The layer was away, or has a new connection: what was published meanwhile did not arrive."""
        self._missed = True
        self.failed(error or ConnectionError("a connection was replaced"))

    async def _recover(self, error: Exception) -> None:
        """Wait until the layer works, with all groups: one that was restarted has forgotten every member."""
        delay, attempt = 0.1, 0
        while True:
            try:
                if attempt:
                    async with asyncio.timeout(LAYER_SECONDS):
                        await self.layer.reset()
                if self._missed:
                    await self._join_again()
                await self.probe()
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
            self.reconnect_all()

    def reconnect_all(self) -> None:
        """Any event may have been lost: have everybody reconnect."""
        for group in self.groups.values():
            group.begin_anew()
        self.sockets.spawn(self.sockets.reconnect([*self.sockets, *self.sockets.subscriptions]))

    async def _join_again(self) -> None:
        groups = [group for group in self.groups.values() if group.pump is not None]
        async with asyncio.timeout(LAYER_SECONDS + len(groups) / 100):
            for group in groups:
                await self.layer.group_add(group.name, group.channel)
