"""Publishing: one event, encoded once, for every socket in a group, in all processes."""

import asyncio
import atexit
import logging
import os
import socket
import threading
import time
from collections import deque
from contextvars import Context
from typing import Any, NamedTuple

import msgspec
from channels.layers import get_channel_layer

from realtime.codes import NOT_AUTHENTICATED
from realtime.events import EVERYWHERE, GAP, KICK, TEXT, NobodyListens, check, text_event
from realtime.hub import serving_hub
from realtime.stats import stats

logger = logging.getLogger("realtime")

SEND_SECONDS = 2  # for the channel layer to take an event
PAUSE = 1  # seconds between two tries of a layer that is away
MAX_WAITING = 10_000  # events that wait for the layer; more are dropped
BATCH = 100  # events that the layer is given at a time, if it has a `group_send_all`
BATCH_SIZE = 2**20  # characters of those
MAX_KEPT = 10_000  # events that are sent when the layer is back
FULL_SECONDS = 1  # for which a command that publishes faster than the layer takes it is held up


async def apublish(
    group: str,
    frame: msgspec.Struct | dict[str, Any],
    *,
    key: int | None = None,
    after: int | None = None,
    to: int | None = None,
    exclude: int | None = None,
    droppable: bool = False,
) -> bool:
    """Send a frame to the members of a group, from async code.

    `key` is the id of the stored object that the frame tells of, `after` that of the one before it in the
    group (0: none): members get such frames in order and once, also when they catch up. `to` and `exclude`
    are user ids: only, or all but, that user's sockets. A frame that is `droppable` is left out when events
    arrive faster than they can be handed out.

    Returns False when the channel layer cannot be reached, which takes two seconds at most; members of the
    group are then told to reconnect when it is back. Raises TypeError for a name that no layer takes.
    """
    event = text_event(frame, key, after, to, exclude, droppable)
    check(group, event)
    publisher = _publisher()
    if asyncio.get_running_loop() is publisher.loop:
        return await publisher.send(group, event)
    # A loop that comes and goes, as under `async_to_sync`, would need a connection of its own.
    sending = asyncio.run_coroutine_threadsafe(publisher.send(group, event), publisher.loop)
    return await asyncio.wrap_future(sending)


def publish(
    group: str,
    frame: msgspec.Struct | dict[str, Any],
    *,
    key: int | None = None,
    after: int | None = None,
    to: int | None = None,
    exclude: int | None = None,
    droppable: bool = False,
) -> None:
    """Send a frame to the members of a group, from sync code; arguments and errors as for `apublish`.

    Returns at once: a background loop with a connection of its own sends in order. (`async_to_sync` would
    make a new connection for each event.) What waits is sent before the process ends; when too much waits,
    because the layer is away, it is dropped and the log says how much.
    """
    event = text_event(frame, key, after, to, exclude, droppable)
    check(group, event)
    _publisher().put(group, event)


def flush(timeout: float = 10.0) -> bool:
    """Wait up to `timeout` seconds until all that `publish` was given is sent; False if any of it was not.

    A process that leaves by `os._exit`, such as a child of `multiprocessing`, has to call this first.
    """
    return _current is None or _current.flush(timeout)


def send_event(group: str, event: dict[str, Any], *, to: int | None = None) -> None:
    """Call the method that an event's `type` names on each member of a group, from sync code.

    `to` is a user id: only that user's sockets. It is sent later if the layer is away.
    """
    if to is not None:
        event = {**event, "to": to}
    check(group, event)
    _publisher().put(group, event)


def kick(user_id: int, reason: str, code: int = NOT_AUTHENTICATED) -> None:
    """Close all sockets of a user, in all processes, from sync code; elsewhere later if the layer is away."""
    event = {"type": KICK, "user": user_id, "code": code, "reason": reason}
    if hub := serving_hub():
        event["from"] = hub.watch.group
        hub.loop.call_soon_threadsafe(hub.revocation.kick, event)  # here at once, whatever the layer does
    _publisher().put(EVERYWHERE, event)


class Waiting(NamedTuple):
    """An event in the queue; who waits for it is told whether it was sent."""

    group: str
    event: dict
    sent: asyncio.Future[bool] | None = None

    @property
    def given_up(self) -> bool:
        return self.sent is not None and self.sent.done()

    def tell(self, was_sent: bool) -> None:
        if self.sent is not None and not self.sent.done():
            self.sent.set_result(was_sent)


class _Publisher:
    """Sends events on one event loop, in order, from a queue; those that wait go together."""

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self.loop = loop
        self._events: deque[Waiting] = deque()
        self._kept: dict[tuple, tuple[str, dict, float]] = {}  # by kind: group, event, when it failed
        self._changed = threading.Condition()
        self._sending = self._full = False
        self._lost = self._dropped = 0
        self._away_until = self._logged_at = 0.0

    def put(self, group: str, event: dict) -> None:
        with self._changed:
            if len(self._events) >= MAX_WAITING and not self._wait_for_space():
                self._drop(group, event)
                return
            self._events.append(Waiting(group, event))
            if self._sending:
                return
            self._sending = True
        self._start(self._run(self._next()))

    async def send(self, group: str, event: dict) -> bool:
        """Send an event, on the publisher's own loop; say whether it was sent."""
        if _most_at_once() == 1:  # so those of many are sent side by side
            return await self._send_all([Waiting(group, event)])
        with self._changed:
            if begin := not self._sending:
                self._sending = True
            elif len(self._events) >= MAX_WAITING:
                self._drop(group, event)
                return False
            else:
                sent: asyncio.Future[bool] = self.loop.create_future()
                self._events.append(Waiting(group, event, sent))
        if begin:
            try:
                return await self._send_all([Waiting(group, event)])
            finally:
                if came_meanwhile := self._next():
                    self._start(self._run(came_meanwhile))
        try:
            async with asyncio.timeout(SEND_SECONDS):
                return await sent
        except TimeoutError as error:
            if not sent.cancelled():  # it was answered at the same moment
                return sent.result()
            self._failed(Waiting(group, event), error)
            return False

    def _start(self, coroutine) -> None:
        # In a context of its own: what it logs is not about the request or the socket that began it.
        Context().run(asyncio.run_coroutine_threadsafe, coroutine, self.loop)

    def flush(self, timeout: float) -> bool:
        with self._changed:
            sent = self._changed.wait_for(lambda: not self._sending, timeout)
            lost, self._lost = self._lost, 0
            return sent and not lost

    def _wait_for_space(self) -> bool:
        """Hold up a command that is faster than the layer; whoever serves others is never held up."""
        if self._full or serving_hub() is not None:
            return False
        self._full = not self._changed.wait_for(lambda: len(self._events) < MAX_WAITING, FULL_SECONDS)
        return not self._full

    def _drop(self, group: str, event: dict) -> None:
        self._lost += 1
        self._dropped += 1
        stats.publish_failures += 1
        self._keep(group, event)
        if self._dropped == 1:
            logger.warning("%d events wait for the channel layer; more are dropped", MAX_WAITING)

    def _log(self, level: int, *message) -> None:
        """Log, but not thousands of times when thousands of events fail."""
        if time.monotonic() >= self._logged_at + PAUSE:
            self._logged_at = time.monotonic()
            logger.log(level, *message)

    async def _run(self, taken: list[Waiting]) -> None:
        while taken:
            await self._send_all(taken)
            taken = self._next()

    def _next(self) -> list[Waiting]:
        """Take out of the queue what is sent next; nothing is being sent any more if that is nothing."""
        most, size = _most_at_once(), 0
        taken: list[Waiting] = []
        with self._changed:
            if self._full or len(self._events) >= MAX_WAITING:
                self._full = False
                self._changed.notify_all()
            while self._events and len(taken) < most and size < BATCH_SIZE:
                waiting = self._events.popleft()
                if not waiting.given_up:
                    taken.append(waiting)
                    size += len(waiting.event.get("text", ""))
            if not taken:
                if self._dropped:
                    logger.warning("%d events were dropped: too many were waiting", self._dropped)
                self._sending, self._dropped = False, 0
                self._changed.notify_all()
        return taken

    async def _send_all(self, taken: list[Waiting]) -> bool:
        try:
            await self._send([(waiting.group, waiting.event) for waiting in taken])
        except Exception as error:  # each layer has its own
            if len(taken) > 1:  # and it may be due to one of them
                return all([await self._send_all([waiting]) for waiting in taken])
            if not taken[0].given_up:  # which counts as failed already
                self._failed(taken[0], error)
            return False
        stats.published += len(taken)
        for waiting in taken:
            waiting.tell(True)
        return True

    async def _send(self, events: list[tuple[str, dict]]) -> None:
        hub = serving_hub()
        own = hub if hub is not None and hub.loop is self.loop else None
        if (own and own.away) or time.monotonic() < self._away_until:
            raise LayerAway("the channel layer is away")
        try:
            async with asyncio.timeout(SEND_SECONDS):
                if len(events) > 1:
                    await get_channel_layer().group_send_all(events)
                    return
                try:
                    await get_channel_layer().group_send(*events[0])
                except Exception:  # a connection that was lost raises once, and is replaced
                    await get_channel_layer().group_send(*events[0])
        except NobodyListens:
            raise
        except Exception as error:
            if len(events) == 1 or isinstance(error, TimeoutError):
                self._away_until = time.monotonic() + PAUSE
                if own:
                    own.watch.failed(error)
            raise

    def _failed(self, waiting: Waiting, error: Exception) -> None:
        with self._changed:
            self._lost += 1
            stats.publish_failures += 1
        if not isinstance(error, NobodyListens):
            self._keep(waiting.group, waiting.event)
        level = logging.WARNING if isinstance(error, ConnectionError) else logging.ERROR
        self._log(level, "could not publish to %s: %s", waiting.group, str(error) or repr(error))
        waiting.tell(False)

    def _keep(self, group: str, event: dict) -> None:
        """Remember what makes up for an event that was lost; the newest one does for all of its kind."""
        if event.get("droppable") or len(self._kept) >= MAX_KEPT:
            return
        if event["type"] == TEXT:
            event = {"type": GAP, "key": event.get("key")}
        first = not self._kept
        kind = (group, event["type"], event.get("user"), event.get("to"))
        self._kept[kind] = group, event, time.monotonic()
        if first:
            self._start(self._make_up())

    async def _make_up(self) -> None:
        while self._kept:
            await asyncio.sleep(PAUSE)
            for kind, kept in list(self._kept.items()):
                group, event, failed_at = kept
                try:
                    await self._send([(group, {**event, "age": time.monotonic() - failed_at})])
                except Exception:
                    break
                if self._kept.get(kind) is kept:
                    del self._kept[kind]


def _most_at_once() -> int:
    """How many events the channel layer takes at a time."""
    return BATCH if hasattr(get_channel_layer(), "group_send_all") else 1


class LayerAway(ConnectionError):
    """The channel layer did not answer a moment ago."""


class _BackgroundLoop(asyncio.SelectorEventLoop):
    """A loop that finds hosts by name even when the interpreter shuts down, where no thread can be asked."""

    async def getaddrinfo(self, host, port, *, family=0, type=0, proto=0, flags=0):
        return socket.getaddrinfo(host, port, family, type, proto, flags)


_current: _Publisher | None = None
_lock = threading.Lock()


def _publisher() -> _Publisher:
    """The publisher on the loop that serves sockets, if this process has one, else on a loop of its own."""
    global _current
    hub = serving_hub()
    with _lock:
        if (
            _current is None
            or _current.loop.is_closed()
            or (hub is not None and _current.loop is not hub.loop)
        ):
            get_channel_layer()  # imports it in this thread: a fork while another one does would break that
            _current = _Publisher(hub.loop if hub else _background_loop())
        return _current


def _background_loop() -> asyncio.AbstractEventLoop:
    loop = _BackgroundLoop()
    threading.Thread(target=loop.run_forever, name="publish", daemon=True).start()
    atexit.register(flush)
    return loop


def _start_anew() -> None:
    """A forked child has none of its parent's threads, nor what waits for them."""
    global _current, _lock
    _current, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_start_anew)
