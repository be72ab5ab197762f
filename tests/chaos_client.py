"""A page's socket, which comes back as `static/realtime.js` does, and keeps count of what it is sent."""

import asyncio
import json
import time
from collections import deque
from contextlib import suppress
from datetime import datetime
from itertools import count

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

PATIENCE = 10  # seconds without an answer after which a connection, or a request, counts as dead
GIVES_UP = 30  # seconds in which a message is said again and again
FIRST_DELAY, LONGEST_DELAY = 0.5, 10  # seconds
FINAL = (4403, 4404)
BUSY = (1013, 4013, 4429)
NOT_AUTHENTICATED = 4401
IDS = {"chat_message": ("message_id", "sent_at"), "notification": ("notification_id", "created_at")}


class NotLoggedIn(Exception):
    """No ticket for a socket is to be had."""


class Offline(Exception):
    """A request had no answer: the connection broke, or nothing came for too long."""


class Client:
    """One socket of one user in one place: a room, or the notifications.

    `site` says where to connect and with what proof; `rng` gives the delays.
    """

    serial = count(1)

    def __init__(self, site, user, path, rng):
        self.site, self.user, self.path, self.rng = site, user, path, rng
        self.room = path.split("/")[-2] if path.startswith("/ws/rooms/") else None
        self.name = f"{user.name}-{next(self.serial)}"
        self.last = 0  # the newest id that it has
        self.received = []
        self.seen = set()
        self.present = None  # the ids of the users that it believes in its room
        self.told = {}  # what it was told of each of them, and when
        self.repeated = self.reordered = self.reconnects = 0
        self.gaps = []
        self.outage = self.wait = 0.0  # the longest, in seconds
        self.codes = []  # how its connections ended
        self.acknowledged = {}  # idempotency key -> message id
        self.connected, self.wanted = asyncio.Event(), asyncio.Event()
        self.socket = self.out = None  # `out` says why it does not come back
        self._back, self._lost = time.time(), None
        self._requests, self._numbers = {}, count(1)

    def __str__(self):
        state = f"has {self.last}" if self.connected.is_set() else "is away"
        return f"{self.name} at {self.path} {state}, before {self.codes[-4:]}"

    # What a person does with the page

    def open(self):
        self._back, self._lost, self.out = time.time(), time.monotonic(), None
        self.wanted.set()

    async def leave(self, politely):
        """Go away until `open`: with a close frame, or as if the network were gone."""
        self.wanted.clear()
        if self.socket is not None and not politely:
            self.socket.transport.abort()
        elif self.socket is not None:
            await self.socket.close()

    async def say(self):
        """Say something in the room, again and again with the same key until it is acknowledged."""
        key = f"{self.name}-{next(self._numbers)}"
        gives_up = time.monotonic() + GIVES_UP
        while self.out is None and time.monotonic() < gives_up:
            with suppress(Offline, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self.connected.wait()
                answer = await self.request("chat_message", message=key, idempotency_key=key)
                if answer["type"] == "reply":
                    self.acknowledged[key] = answer["message_id"]
                    return
            await asyncio.sleep(self.rng.uniform(0, 1))  # someone finds the button "Try again"

    async def request(self, type, **fields):
        """Send a frame with an id; return what answers it."""
        id = next(self._numbers)
        answer = self._requests[id] = asyncio.get_running_loop().create_future()
        try:
            await self.socket.send(json.dumps({"type": type, "id": id, **fields}))
            async with asyncio.timeout(PATIENCE):
                if (frame := await answer) is None:
                    raise Offline
                return frame
        except (ConnectionClosed, AttributeError, TimeoutError) as error:
            raise Offline from error
        finally:
            del self._requests[id]

    @property
    def port(self):
        """The port of its end of the connection, None without one."""
        return self.socket.local_address[1] if self.connected.is_set() else None

    # What the page does

    async def run(self):
        attempt = 0
        refused = False
        while True:
            await self.wanted.wait()
            self.after, held = None, False
            with suppress(OSError, TimeoutError, InvalidHandshake, ConnectionClosed, httpx.TransportError):
                held = await self._visit()
            code = self._forget()
            if not self.wanted.is_set():
                attempt = 0
                continue
            if code in FINAL or (code == NOT_AUTHENTICATED and refused):
                self.out = code
                self.wanted.clear()
                refused = False
                continue
            refused = code == NOT_AUTHENTICATED
            attempt = 0 if held else attempt
            delay = self.after
            if delay is None and code in BUSY:
                delay = self.rng.uniform(LONGEST_DELAY / 2, LONGEST_DELAY)
            elif delay is None:
                delay = self.rng.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2**attempt))
                attempt += 1
            await asyncio.sleep(delay)

    async def _visit(self):
        """Connect, and read until the end; say whether the connection held for at least a heartbeat."""
        self._code = None
        try:
            arguments = await self.site.proof(self.user, self.path, since=self.last)
        except NotLoggedIn:
            self._code = NOT_AUTHENTICATED
            return False
        options = {"proxy": None, "compression": None, "ping_interval": None, "max_queue": None}
        self.socket = await connect(
            **options | arguments, open_timeout=PATIENCE, close_timeout=1, user_agent_header=None
        )
        if not self.wanted.is_set():  # who left meanwhile had no socket to close
            return False
        beat, silent = None, time.monotonic() + PATIENCE
        held = False
        while True:
            try:
                async with asyncio.timeout(min(filter(None, (beat, silent))) - time.monotonic()):
                    frame = json.loads(await self.socket.recv())
            except TimeoutError:
                if silent is not None and time.monotonic() >= silent:
                    raise
                held = True
                beat += self.heartbeat
                silent = silent or time.monotonic() + PATIENCE
                await self.socket.send('{"type": "ping"}')
                continue
            except ConnectionClosed:
                return held
            silent = None
            self._take(frame)
            if beat is None:
                beat = time.monotonic() + self.heartbeat

    def _take(self, frame):
        type = frame["type"]
        if type == "connection_established":
            self.heartbeat = frame["heartbeat"]
            if "present" in frame:
                self.present = {user["id"] for user in frame["present"]}
                for user in self.present:
                    self._note(user, f"present at {self.socket.remote_address[1]}")
            self.outage = max(self.outage, time.monotonic() - self._lost) if self._lost else self.outage
            self._lost = None
            self.connected.set()
        elif type == "reconnect":
            self.after = frame["after"]
        elif type == "gap":
            self.gaps.append((frame["asked"], frame["resumed"]))
            self.last = frame["resumed"]
        elif type == "presence" and self.present is not None:
            change = self.present.add if frame["event"] == "join" else self.present.discard
            change(frame["user"]["id"])
            self._note(frame["user"]["id"], frame["event"])
        elif type in IDS:
            id, at = (frame[field] for field in IDS[type])
            self._receive(id, datetime.fromisoformat(at).timestamp())
        elif frame.get("id") in self._requests and not self._requests[frame["id"]].done():
            self._requests[frame["id"]].set_result(frame)

    def _note(self, user, event):
        self.told.setdefault(user, deque(maxlen=4)).append(f"{event} {datetime.now():%M:%S.%f}")

    def _receive(self, id, at):
        if id > self.last:
            self.last = id
            self.received.append(id)
            if at > self._back:  # else it waited for a page that was closed
                self.wait = max(self.wait, time.time() - at)
        elif id in self.seen:
            self.repeated += 1
        else:
            self.reordered += 1  # a page drops it: it is not newer than what is shown
        self.seen.add(id)

    def _forget(self):
        """The connection is over; return its close code, None if it never was or was cut."""
        code = self._code
        if self.socket is not None:
            code = self.socket.close_code if self.socket.close_code != 1006 else None
            self.socket.transport.abort()
        if self.connected.is_set() and self.wanted.is_set():
            self.reconnects += 1
            self._lost = time.monotonic()
            self.codes.append(code)
        self.connected.clear()
        self.socket = None
        for answer in self._requests.values():
            if not answer.done():
                answer.set_result(None)
        return code
