"""Chaos: two processes of one project under steady use, while what they rest on fails, piece after piece."""

import asyncio
import math
import random
import string
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx

from chaos_client import Client, NotLoggedIn
from chaos_nodes import BACK_WITHIN, DatabaseAway, Node, Shell
from client import address
from services import HOST

CHATS, POSTS, NOTICES = 18, 4, 8  # a second: said over sockets, posted over HTTP, told by another process
AWAY, STAYS_AWAY = 0.1, (0.5, 5)  # the share of clients that are away, and for how many seconds each time
CLEANS_UP_WITHIN = 20  # seconds
CSRF = "".join(random.choices(string.ascii_letters, k=32))


@dataclass
class User:
    id: int
    name: str
    session: str = ""
    bans: list = field(default_factory=list)  # [from, until] when nothing of theirs may be stored

    def headers(self, url):
        cookies = f"sessionid={self.session}; csrftoken={CSRF}"
        return {"Cookie": cookies, "X-CSRFToken": CSRF, "Referer": url, "Origin": url}


class Site:
    """The project, those who use it, and those who wreck it. Use as `async with`."""

    def __init__(self, project, valkey, postgresql, seed, users=20, rooms=5):
        self.project, self.valkey, self.postgresql = project, valkey, postgresql
        self.rng = random.Random(seed)
        self.nodes = [Node(project, "survivor"), Node(project, "victim")]
        self.rooms = [f"chaos-{number}" for number in range(rooms)]
        self.names = [f"user{number}" for number in range(users)]
        self.tried, self.posted, self.told = Counter(), Counter(), {}
        self.by_ticket = project.variant["auth"] == "jwt"

    async def __aenter__(self):
        async with AsyncExitStack() as life:
            life.push_async_callback(asyncio.to_thread, self.repair)
            for node in self.nodes:
                life.push_async_callback(asyncio.to_thread, node.stop)
                await asyncio.to_thread(node.start)
            self.http = httpx.AsyncClient(timeout=10)
            life.push_async_callback(self.hang_up)
            self.shell = await life.enter_async_context(Shell(self.project))
            ids = await self.shell.must("people", self.names, self.rooms)
            self.users = [User(id, name) for id, name in zip(ids, self.names, strict=True)]
            for user in self.users:
                user.session = await self.shell.must("admit", user.id)
            self.clients = [
                Client(self, user, path, self.rng) for user in self.users for path in self.pages()
            ]
            self.talkers = [client for client in self.clients if client.room]
            runs = asyncio.gather(*(client.run() for client in self.clients))
            life.push_async_callback(asyncio.gather, runs, return_exceptions=True)
            life.callback(runs.cancel)
            life.push_async_callback(self.all_leave)
            self._runs, self._life = runs, life.pop_all()
        return self

    async def __aexit__(self, *error):
        return await self._life.__aexit__(*error)

    def pages(self):
        """Return what a user has open: two pages with notifications, three with rooms, perhaps one twice."""
        rooms = self.rng.choices(self.rooms, k=3)
        return ["/ws/notifications/"] * 2 + [f"/ws/rooms/{room}/" for room in rooms]

    def repair(self):
        self.valkey.go_on()
        self.valkey.start()
        self.postgresql.start()

    # How clients get in

    async def proof(self, user, path, **query):
        """Return what `websockets` needs to connect to one of the processes as a user."""
        url = f"http://{HOST}:{self.rng.choice(self.nodes).port}"
        headers = user.headers(url)
        if self.by_ticket:
            answer = await self.http.post(f"{url}/api/ws-ticket/", headers=headers)
            if answer.status_code in (401, 403):
                raise NotLoggedIn
            if answer.status_code != 200:
                raise OSError(answer.status_code)
            query["ticket"] = answer.json()["ticket"]
            headers = {}
        cookie = {"Cookie": headers["Cookie"]} if headers else {}
        return {"uri": address(url, path, **query), "origin": url, "additional_headers": cookie}

    # What is going on all the time

    @asynccontextmanager
    async def in_use(self):
        """Chat, notify, come and go while the block runs; what was begun has an answer when it ends."""
        acts = (self.chat, 1 / CHATS), (self.post, 1 / POSTS), (self.notice, 1 / NOTICES)
        acts += ((self.walk, sum(STAYS_AWAY) / 2 / AWAY / len(self.clients)),)
        async with asyncio.TaskGroup() as begun:
            steady = [begun.create_task(self._every(seconds, begun, act)) for act, seconds in acts]
            yield
            for task in steady:
                task.cancel()

    async def _every(self, seconds, begun, act):
        while True:
            await asyncio.sleep(self.rng.uniform(0, 2 * seconds))
            begun.create_task(act())

    def welcome(self):
        """Return the users who have not been put out."""
        return [user for user in self.users if not user.bans or user.bans[-1][1] is not None]

    def ban(self, user, grace):
        """Note that a user has been put out, of whom nothing may be stored `grace` seconds from now."""
        user.bans.append([time.time() + grace, None])

    async def admit(self):
        """Let those in again who were put out or have left for good."""
        for user in self.users:
            if user not in self.welcome():
                user.session = await self.shell.must("admit", user.id)
                user.bans[-1][1] = time.time()
        for client in self.clients:
            if not client.wanted.is_set():
                client.open()

    async def chat(self):
        there = [client for client in self.talkers if client.connected.is_set()]
        if there:
            await self.rng.choice(there).say()

    async def post(self):
        """Post a form, which notifies oneself."""
        user = self.rng.choice(self.welcome())
        url = f"http://{HOST}:{self.rng.choice(self.nodes).port}"
        self.tried[user.id] += 1
        with suppress(httpx.TransportError):
            answer = await self.http.post(f"{url}/notifications/test/", headers=user.headers(url))
            self.posted[user.id] += answer.status_code == 302 and "login" not in answer.headers["location"]

    async def notice(self):
        user, number = self.rng.choice(self.users), len(self.told)
        self.told[number] = None
        with suppress(DatabaseAway):
            self.told[number] = await self.shell.ask("notify", user.id, number)

    async def walk(self):
        """Let someone go away and come back."""
        client = self.rng.choice(self.clients)
        if client.wanted.is_set():
            await client.leave(politely=self.rng.random() < 0.5)
            await asyncio.sleep(self.rng.uniform(*STAYS_AWAY))
            if client.out is None:
                client.open()

    # What others wait for

    async def until(self, condition, within=BACK_WITHIN):
        """Ask until the condition holds; return the seconds that it took, infinite if it never did."""
        start = time.monotonic()
        while not condition():
            if self._runs.done():
                self._runs.result()  # whatever a client did not expect
            if time.monotonic() - start > within:
                return math.inf
            await asyncio.sleep(0.1)
        return time.monotonic() - start

    def expected(self):
        """Return the clients that should be connected now."""
        welcome = self.welcome()
        return [client for client in self.clients if client.wanted.is_set() and client.user in welcome]

    def all_connected(self):
        return all(client.connected.is_set() for client in self.expected())

    def unserved(self):
        """Return the clients that lack a connection, or what `served_again` waits for."""
        return [
            client
            for client in self.expected()
            if not client.connected.is_set() or client.last <= self._heard.get(client, -1)
        ]

    async def served_again(self):
        """Wait until everyone is connected, and has heard in its room what nobody there has heard now."""
        newest = Counter()
        for client in self.talkers:
            newest[client.room] = max(newest[client.room], client.last)
        self._heard = {client: newest[client.room] for client in self.talkers}
        return await self.until(lambda: not self.unserved())

    async def hang_up(self):
        """Close the connections that only posted."""
        await self.http.aclose()
        self.http = httpx.AsyncClient(timeout=10)

    async def all_leave(self):
        """Have every client leave, and wait until the processes are rid of them."""
        await asyncio.gather(*(client.leave(politely=True) for client in self.clients))
        await self.until(lambda: not any(node.peers() for node in self.nodes))

    async def figures(self, few=math.inf):
        """Return what may not grow in the process that lives through it all, when nobody is there.

        It cleans up after its connections have ended, so wait a while until it has `few` tasks.
        """
        survivor = self.nodes[0]
        await self.all_leave()
        for _ in range(CLEANS_UP_WITHIN):
            if len(tasks := await self.tasks(survivor)) <= few:
                break
            await asyncio.sleep(1)
        return self.held(survivor) | {"tasks": len(tasks), "names": Counter(tasks).most_common(5)}

    def held(self, node):
        """Return what a process holds of the machine."""
        return node.figures(pooled=(self.valkey.server.port, self.postgresql.port))

    async def tasks(self, node):
        """Return the names of the coroutines that a process runs."""
        answer = await self.http.get(f"{node.server.url}/chaos/", headers={"Connection": "close"})
        return answer.json()["tasks"]
