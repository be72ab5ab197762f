"""Publishing: one event, encoded once, for every socket in a group, in all processes."""

import asyncio
import atexit
import logging
import os
import threading
from typing import Any

import msgspec
from channels.layers import get_channel_layer

from realtime.codes import NOT_AUTHENTICATED
from realtime.frames import to_text
from realtime.hub import EVERYWHERE, KICK, TEXT, serving_hub

logger = logging.getLogger("realtime")

ATTEMPTS = 6  # over about three seconds, in which a restarted layer is back
MAX_WAITING = 10_000  # events that `publish` holds before it makes its caller wait


async def apublish(
    group: str,
    frame: msgspec.Struct | dict[str, Any],
    *,
    key: int | None = None,
    to: int | None = None,
    exclude: int | None = None,
) -> bool:
    """Send a frame to the members of a group, from async code.

    `key` is the id of the stored object that the frame tells of, so that a client that catches up gets it
    once. `to` and `exclude` are user ids: only, or all but, that user's sockets. Returns False, and logs,
    when the channel layer could not be reached.
    """
    return await _send(group, _event(frame, key, to, exclude))


def publish(
    group: str,
    frame: msgspec.Struct | dict[str, Any],
    *,
    key: int | None = None,
    to: int | None = None,
    exclude: int | None = None,
) -> None:
    """Send a frame to the members of a group, from sync code; arguments as for `apublish`.

    Returns at once: a background loop with a connection of its own sends in order, retries, and logs what
    it could not deliver. (`async_to_sync` would make a new connection for each event.) What waits is sent
    before the process ends.
    """
    _publisher().put(group, _event(frame, key, to, exclude))


def flush(timeout: float = 10.0) -> bool:
    """Wait up to `timeout` seconds until all that `publish` was given is sent; False if any of it was not."""
    return _current is None or _current.flush(timeout)


def send_event(group: str, event: dict[str, Any]) -> None:
    """Call the method that an event's `type` names on each member of a group, from sync code."""
    _publisher().put(group, event)


def kick(user_id: int, reason: str, code: int = NOT_AUTHENTICATED) -> None:
    """Close all sockets of a user, in all processes, from sync code."""
    send_event(EVERYWHERE, {"type": KICK, "user": user_id, "code": code, "reason": reason})


def _event(frame, key, to, exclude) -> dict:
    event = {"type": TEXT, "text": to_text(frame)}
    if key is not None:
        event["key"] = key
    if to is not None:
        event["to"] = to
    if exclude is not None:
        event["exclude"] = exclude
    return event


async def _send(group: str, event: dict) -> bool:
    for attempt in range(ATTEMPTS):
        if attempt > 1:
            await asyncio.sleep(0.05 * 2**attempt)
        try:
            await get_channel_layer().group_send(group, event)
            return True
        except Exception as error:  # each layer has its own; a lost connection raises once, then is replaced
            failure = error
    logger.error("could not publish to %s: %r", group, failure)
    return False


class _Publisher:
    """A queue of events that one event loop sends, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self.loop = loop
        self.pid = os.getpid()
        self._events: list[tuple[str, dict]] = []
        self._changed = threading.Condition()
        self._sending = False
        self._lost = 0

    def put(self, group: str, event: dict) -> None:
        with self._changed:
            if asyncio._get_running_loop() is not self.loop:  # on its own loop, waiting would be for ever
                self._changed.wait_for(lambda: len(self._events) < MAX_WAITING)
            self._events.append((group, event))
            if self._sending:
                return
            self._sending = True
        asyncio.run_coroutine_threadsafe(self._run(), self.loop)

    def flush(self, timeout: float) -> bool:
        with self._changed:
            sent = self._changed.wait_for(lambda: not self._sending, timeout)
            lost, self._lost = self._lost, 0
            return sent and not lost

    async def _run(self) -> None:
        while True:
            with self._changed:
                events, self._events = self._events, []
                self._sending = bool(events)
                self._changed.notify_all()
            if not events:
                return
            for group, event in events:
                self._lost += not await _send(group, event)


_current: _Publisher | None = None
_lock = threading.Lock()


def _publisher() -> _Publisher:
    """The publisher on the loop that serves sockets, if this process has one, else on a loop of its own."""
    global _current
    hub = serving_hub()
    with _lock:
        stale = _current is None or _current.pid != os.getpid() or _current.loop.is_closed()
        if stale or (hub is not None and _current.loop is not hub.loop):
            _current = _Publisher(hub.loop if hub else _background_loop())
        return _current


def _background_loop() -> asyncio.AbstractEventLoop:
#% if cookiecutter.channel_layer == "memory"
    logger.warning(
        "the in-memory channel layer reaches only sockets of the process that publishes, and this one has "
        "none; a channel layer that processes share lets commands and workers publish, too"
    )
#% endif
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="publish", daemon=True).start()
    atexit.register(flush)
    return loop
