"""One socket that stays connected, as static/realtime.js keeps it: the same waits, codes and heartbeat."""

import asyncio
import random
import time
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from loadtest.login import User
from loadtest.problems import Failed, kind_of
from loadtest.site import PATIENCE, Site

if TYPE_CHECKING:
    from loadtest.run import Group, Run

FINAL = {4403, 4404}
LOG_IN = 4401
BUSY = {1013, 4013, 4429}
FIRST_DELAY = 0.5  # seconds; doubles with each failure, the wait is a random part of it
LONGEST_DELAY = 10
HEARTBEAT = 25  # seconds, where the first frame says nothing else
ABNORMAL = 1006  # of a connection that ends without a close frame
FROM_NOW_ON = 10**17  # as ?since=: no id is that high, so the server says after which one it goes on
BROKEN = (OSError, TimeoutError, aiohttp.ClientError, msgspec.MsgspecError)

decode = msgspec.json.Decoder(dict[str, Any]).decode


class Client:
    """Gets what is stored in its group, and counts it there."""

    def __init__(self, run: "Run", site: Site, user: User, path: str, group: "Group"):
        self.run, self.site, self.user, self.path, self.group = run, site, user, path, group
        self.figures = run.figures
        self.type, self.field = group.scenario.numbered or ("", "")
        self.socket: aiohttp.ClientWebSocketResponse | None = None  # while it is open
        self.was_open = False
        self.since: int | None = None  # the id of the last message
        self.member_since = 0.0  # when the first message could come
        self.settled = asyncio.Event()  # it is open, or will never be
        self.attempt = 0
        self.after: float | None = None  # seconds to wait, as the server asked
        self.requests: dict[int, asyncio.Future] = {}
        self.ids = count(1)

    async def stay(self) -> None:
        """Connect, and again when the connection ends, until this is cancelled or the server says never."""
        unauthenticated = False
        while True:
            code = await self.connect()
            if code in FINAL:
                self.figures.failed(f"closed for good with {code}")
                self.settled.set()
                return
            if code == LOG_IN and unauthenticated:
                self.user.forget()
            unauthenticated = code == LOG_IN
            if code in BUSY and self.after is None:
                self.after = LONGEST_DELAY * random.uniform(0.5, 1)
            longest = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(self.attempt, 10))
            delay = random.uniform(0, longest) if self.after is None else self.after
            self.attempt += self.after is None
            self.after = None
            await asyncio.sleep(delay)

    async def connect(self) -> int | None:
        """Open the socket, and read until it ends; return the close code, if it came so far."""
        socket, beating, code = None, None, None
        try:
            proof = await self.user.login.proof()
            async with asyncio.timeout(PATIENCE) as self.deadline:
                start = time.perf_counter()
                socket = await self.site.open(self.path, self.query(), **proof)
                first = await socket.receive()
                if first.type == aiohttp.WSMsgType.TEXT:
                    self.figures.handshakes.add(time.perf_counter() - start)
                    beating = asyncio.create_task(self.beat(socket, decode(first.data)))
                    self.opened(socket)
                    async for message in socket:
                        self.receive(decode(message.data))
            code = socket.close_code or ABNORMAL
            self.figures.close_codes[code] += 1
        except Failed as failed:
            self.figures.failed(str(failed))
        except BROKEN as error:
            self.figures.failed(f"{'connection' if beating else 'handshake'}: {kind_of(error)}")
        finally:
            if beating:
                beating.cancel()
            self.lost()
            if socket:
                await socket.close()
        return code

    async def look(self) -> None:
        """Open the socket and close it again, which is not counted. Raises Failed."""
        proof = await self.user.login.proof()
        try:
            async with asyncio.timeout(PATIENCE):
                socket = await self.site.open(self.path, self.query(), **proof)
                first = await socket.receive()
                await socket.close()
        except BROKEN as error:
            raise Failed(kind_of(error)) from error
        if first.type != aiohttp.WSMsgType.TEXT:
            raise Failed(f"closed with {first.data}: {first.extra}")

    def query(self) -> dict[str, int]:
        if not self.type:
            return {}
        return {"since": FROM_NOW_ON if self.since is None else self.since}

    def opened(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.deadline.reschedule(None)
        self.socket = socket
        self.run.changed(1)
        if self.was_open:
            self.figures.came_back()
        self.was_open = True
        if not self.type:
            self.settled.set()

    def lost(self) -> None:
        if self.socket:
            self.socket = None
            self.run.changed(-1)
        for waiting in self.requests.values():
            if not waiting.done():
                waiting.set_exception(Failed("request: the connection broke"))
        self.requests.clear()

    async def beat(self, socket: aiohttp.ClientWebSocketResponse, hello: dict[str, Any]) -> None:
        """Send a ping now and then, which has to be answered."""
        while True:
            await asyncio.sleep(hello.get("heartbeat", HEARTBEAT))
            self.attempt = 0  # it holds, so the next break starts with a short wait again
            if self.deadline.when() is None:
                self.deadline.reschedule(asyncio.get_running_loop().time() + PATIENCE)
            with suppress(OSError, aiohttp.ClientError):
                await socket.send_str('{"type":"ping"}')

    def receive(self, frame: dict[str, Any]) -> None:
        self.deadline.reschedule(None)
        match frame.get("type"):
            case self.type if self.type:
                self.receive_message(frame)
            case "reply" | "error" if waiting := self.requests.pop(frame.get("id", 0), None):
                if not waiting.done():
                    waiting.set_result(frame)
            case "error":
                self.figures.failed(f"error frame: {frame['code']}")
            case "reconnect":
                self.after = frame["after"]
            case "gap":
                self.receive_gap(frame)
            case "token_expiring":
                self.run.spawn(self.refresh())

    def receive_message(self, frame: dict[str, Any]) -> None:
        if self.since is None:
            return
        if frame[self.field] <= self.since:
            self.figures.repeated += 1
            return
        self.since = frame[self.field]
        self.run.delivered(self, self.group.scenario.text(frame))

    def receive_gap(self, frame: dict[str, int]) -> None:
        if self.since is None:
            self.member_since = time.perf_counter()
            self.group.members += 1
            self.settled.set()
        else:
            self.figures.failed("gap: it was away for more than the server sends again")
        self.since = frame["resumed"]

    async def request(self, frame: dict[str, Any]) -> None:
        """Send a frame and wait for its reply. Raises Failed."""
        if self.socket is None:
            raise Failed("request: there is no connection")
        id = next(self.ids)
        self.requests[id] = waiting = asyncio.get_running_loop().create_future()
        start = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                await self.socket.send_str(msgspec.json.encode(frame | {"id": id}).decode())
                answer = await waiting
        except BROKEN as error:
            raise Failed(f"request: {kind_of(error)}") from error
        finally:
            self.requests.pop(id, None)
        if answer["type"] == "error":
            raise Failed(f"error frame: {answer['code']}")
        self.figures.replies.add(time.perf_counter() - start)

    async def refresh(self) -> None:
        await self.request({"type": "auth.refresh", "token": await self.user.login.token()})
