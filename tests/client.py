"""A person who uses a running project: logs in, opens WebSockets and talks over them."""

import asyncio
import copy
import json
import time
from collections import deque
from contextlib import asynccontextmanager
from functools import cached_property
from itertools import count

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from serving import PASSWORD

ANSWERS_WITHIN = 10  # seconds


class Person:
    """A user of the project at `url`, in one browser and one app.

    `by` is how the sockets prove who it is, unless told otherwise: "session", "jwt" or "ticket".
    """

    def __init__(self, url, name, by, password=PASSWORD):
        self.url, self.name, self.by, self.password = url, name, by, password

    @cached_property
    def browser(self):
        """An HTTP client that has logged in through the form, or as a front end elsewhere does."""
        self.browser = httpx.Client(base_url=self.url, timeout=30)
        known = {"username": self.name, "password": self.password}
        if self.browser.get("/accounts/login/").status_code == 200:
            answer = self.post("/accounts/login/", **known)
            assert answer.status_code == 302, answer.text
        else:
            self.browser.get("/api/site/")  # which brings the token against forgery
            answer = self.send("/api/login/", **known)
            assert answer.status_code == 200, answer.text
        return self.browser

    @cached_property
    def sends_json(self):
        """Whether pages are made elsewhere, and send what they have to say as JSON."""
        return self.browser.get("/api/site/").status_code == 200

    @cached_property
    def tokens(self):
        """An access and a refresh token."""
        answer = httpx.post(
            f"{self.url}/api/token/", json={"username": self.name, "password": self.password}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def at(self, url):
        """Return the same person, logged in, at another server of the project."""
        getattr(self, "tokens" if self.by == "jwt" else "browser")  # logs in, once for both
        person = copy.copy(self)
        person.url = url
        return person

    def post(self, path, **fields):
        """Submit a form, as a page of the project does."""
        token = {"csrfmiddlewaretoken": self.browser.cookies["csrftoken"]}
        return self.browser.post(path, data=token | fields, headers={"Referer": self.url})

    def send(self, path, **fields):
        """Send JSON, as pages that are made elsewhere do."""
        headers = {"X-CSRFToken": self.browser.cookies["csrftoken"], "Referer": self.url}
        return self.browser.post(path, json=fields, headers=headers)

    def do(self, path, **fields):
        """Do what a page at that path does, whoever makes it."""
        answer = self.send(f"/api{path}", **fields) if self.sends_json else self.post(path, **fields)
        assert answer.status_code == (200 if self.sends_json else 302), answer.text

    def ticket(self):
        if self.by == "jwt":
            headers = {"Authorization": f"Bearer {self.tokens['access']}"}
            answer = httpx.post(f"{self.url}/api/ws-ticket/", headers=headers)
        else:
            answer = self.post("/api/ws-ticket/")
        assert answer.status_code == 200, answer.text
        return answer.json()["ticket"]

    def address(self, path, *, by=None, origin=True, **query):
        """Return what `websockets` needs to connect: the address, and the proof of who comes."""
        by = by or self.by
        arguments = {"origin": self.url if origin is True else origin, "proxy": None, "compression": None}
        if by == "session":
            arguments["additional_headers"] = {"Cookie": f"sessionid={self.browser.cookies['sessionid']}"}
        elif by == "jwt":
            arguments["subprotocols"] = ["bearer", self.tokens["access"]]
        elif by == "ticket":
            query["ticket"] = self.ticket()
        return arguments | {"uri": address(self.url, path, **query)}

    def open(self, path, **options):
        """Open a WebSocket; use as `async with`. Options are those of `address`."""
        return talk(**self.address(path, **options))

    def close(self):
        if "browser" in vars(self):
            self.browser.close()
            del self.browser


def address(url, path, **query):
    """Return the address of a WebSocket of the project at `url`."""
    return str(httpx.URL(url.replace("http", "ws", 1) + path, params=query))


@asynccontextmanager
async def talk(**arguments):
    """Connect, and yield the conversation. The client reads at once whatever comes, like a browser."""
    options = {"proxy": None, "open_timeout": 60, "close_timeout": 2, "max_queue": None}
    async with connect(**options | arguments) as socket:
        yield Talk(socket)


class Talk:
    """The conversation over one WebSocket, as the client has it."""

    def __init__(self, socket):
        self.socket = socket
        self.unread = deque()
        self._ids = count(1)

    async def send(self, type, **fields):
        await self.socket.send(json.dumps({"type": type, **fields}))

    async def frame(self, type=None, within=ANSWERS_WITHIN):
        """Return the next frame, or the next of a type; the frames before that one stay unread."""
        for frame in self.unread:
            if type in (None, frame["type"]):
                self.unread.remove(frame)
                return frame
        return await self._read(lambda frame: type in (None, frame["type"]), f"no frame {type or ''}", within)

    async def request(self, type, **fields):
        """Send a frame with an id; return the one frame with that id that answers."""
        id = next(self._ids)
        await self.send(type, id=id, **fields)
        return await self._read(lambda frame: frame.get("id") == id, f"no answer to {type}", ANSWERS_WITHIN)

    async def ping(self):
        """Return how long a ping takes there and back, in seconds."""
        start = time.perf_counter()
        await self.send("ping")
        await self.frame("pong")
        return time.perf_counter() - start

    async def closed(self, within=ANSWERS_WITHIN):
        """Wait until the server closes; return the code, 1006 for a connection that was cut."""
        try:
            await self._read(lambda frame: False, "still open", within)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006

    async def _read(self, wanted, complaint, within):
        try:
            async with asyncio.timeout(within):
                while True:
                    frame = json.loads(await self.socket.recv())
                    if wanted(frame):
                        return frame
                    self.unread.append(frame)
        except TimeoutError:
            raise AssertionError(f"{complaint} within {within} s; read: {list(self.unread)}") from None
