"""Someone who stays connected, and comes back with `?since=`, as `static/realtime.js` does."""

import asyncio
import json
import random
import time
from contextlib import suppress
from itertools import count

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from client import ANSWERS_WITHIN
from polling import until

IDS = {  # what can be sent again
    "chat_message": "message_id",
    "notification": "notification_id",
    "dashboard_event": "event_id",
    "mentor_event": "event_id",
    "student_event": "event_id",
}
NOT_AUTHENTICATED, NOT_ALLOWED, NOT_FOUND, CUT = 4401, 4403, 4404, 1006
FIRST_DELAY, LONGEST_DELAY = 0.5, 10  # seconds, of which the wait is a random part
OPTIONS = {"open_timeout": 10, "close_timeout": 2, "ping_timeout": 10, "max_queue": None}


class Follower:
    """A person at a path of the project, for as long as its `async with` block lasts.

    `frames` is all that came but answers, `ids` are those of what is stored, as they came; nothing is sorted
    out here. `codes` are how its connections ended, `refusals` how those that never got as far as
    `connection_established`, and `told` how often it was told to reconnect. `ended` is the code after which
    it does not come back, a second 4401 in a row for instance.
    """

    def __init__(self, person, path, since=0):
        self.person, self.path, self.since = person, path, since
        self.frames, self.ids, self.gaps = [], [], []
        self.codes, self.refusals = [], []
        self.told = 0
        self.connected = False
        self.ended = None
        self._answers, self._serial = {}, count(1)
        self._after = self._socket = self._task = None

    async def __aenter__(self):
        self._task = asyncio.create_task(self._stay())
        try:
            await self.until(lambda: self.connected, within=30)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()  # whatever it did not expect

    async def until(self, condition, within=ANSWERS_WITHIN):
        """Wait until the condition holds; say what came if it does not."""
        await until(lambda: condition() or self._failed(), within, self)

    async def request(self, type, within=ANSWERS_WITHIN, **fields):
        """Send a frame with an id; return what answers. `ConnectionError` if the connection breaks before."""
        if not self.connected:
            raise ConnectionError("not connected")
        id = next(self._serial)
        answer = self._answers[id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within):
                await self._socket.send(json.dumps({"type": type, "id": id, **fields}))
                return await answer
        except ConnectionClosed as end:
            raise ConnectionError(str(end)) from end
        except TimeoutError:
            raise AssertionError(f"no answer to {type} within {within} s; {self}") from None
        finally:
            del self._answers[id]

    async def ping(self, within=ANSWERS_WITHIN):
        """Return how long a ping takes there and back, in seconds."""
        start = time.perf_counter()
        await self.request("ping", within)
        return time.perf_counter() - start

    def __str__(self):
        state = "connected" if self.connected else f"ended with {self.ended}" if self.ended else "away"
        last = [frame["type"] for frame in self.frames[-5:]]
        return (
            f"{self.person.name} at {self.path} is {state}; {len(self.ids)} ids, the last {self.ids[-5:]}; "
            f"connections ended with {self.codes}; last frames {last}"
        )

    def _failed(self):
        if self._task.done() and not self._task.cancelled():
            self._task.result()
        return False

    async def _stay(self):
        attempt, denied = 0, False
        while True:
            self._after = None
            let_in, code = await self._connect()
            (self.codes if let_in else self.refusals).append(code)
            if let_in:
                attempt, denied = 0, False
            if code in (NOT_ALLOWED, NOT_FOUND) or (code == NOT_AUTHENTICATED and denied):
                self.ended = code
                return
            denied = code == NOT_AUTHENTICATED
            delay = self._after
            if delay is None:
                delay = random.random() * min(LONGEST_DELAY, FIRST_DELAY * 2**attempt)
                attempt += 1
            await asyncio.sleep(delay)

    async def _connect(self):
        """Stay in one connection until it ends; return whether it was let in, and the code at the end."""
        try:
            address = await asyncio.to_thread(self.person.address, self.path, since=self.since)
            async with connect(**OPTIONS | address) as self._socket:
                async for text in self._socket:
                    self._take(json.loads(text))
            code = self._socket.close_code
        except ConnectionClosed as end:
            code = end.rcvd.code if end.rcvd else CUT
        except (OSError, InvalidHandshake, httpx.TransportError):
            code = CUT  # there was none
        finally:
            let_in, self.connected = self.connected, False
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ConnectionError(f"the connection broke; {self}"))
        return let_in, code

    def _take(self, frame):
        type = frame["type"]
        if type in ("reply", "error") and frame.get("id") in self._answers:
            answer = self._answers[frame["id"]]
            return None if answer.done() else answer.set_result(frame)
        if type == "pong":
            return None
        self.frames.append(frame)
        if type == "connection_established":
            self.connected = True
        elif type == "reconnect":
            self._after = frame["after"]
            self.told += 1
        elif type == "gap":
            self.since = frame["resumed"]
            self.gaps.append(frame)
        elif type in IDS:
            id = frame[IDS[type]]
            self.ids.append(id)
            self.since = max(self.since or 0, id)


async def say(follower, text="Is anyone there?", within=ANSWERS_WITHIN):
    """Say something in a room as soon as the follower is connected; return the id."""
    while True:
        await follower.until(lambda: follower.connected, within)
        with suppress(ConnectionError):  # told to reconnect meanwhile
            answer = await follower.request("chat_message", within, message=text)
            assert answer.get("ok"), answer
            return answer["message_id"]


async def stored(person, path):
    """Return the ids of all that is stored there for this person, up to 1,000, as catching up gives them."""
    async with Follower(person, path) as reader:
        while True:
            await reader.until(lambda: reader.connected)
            with suppress(ConnectionError):
                await reader.ping()  # answered once catching up is over
                return reader.ids


async def missed_nothing(followers, within=15):
    """Wait until these followers have all that is stored, each once and in order; return the ids by path."""
    ids = {}
    for follower in followers:
        key = (follower.person, follower.path)
        if key not in ids:
            ids[key] = await stored(*key)
        last = ids[key][-1:]
        await follower.until(lambda follower=follower, last=last: follower.ids[-1:] == last, within)
    for follower in followers:
        assert follower.ids == ids[follower.person, follower.path], follower
        assert not follower.gaps
    return {path: ids[person, path] for person, path in ids}
