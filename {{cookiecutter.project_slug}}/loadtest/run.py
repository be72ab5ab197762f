"""A load test from beginning to end: sockets open one by one, then messages are sent at a steady rate."""

import asyncio
import signal
import time
from argparse import Namespace
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.conf import settings

from loadtest.client import Client
from loadtest.live import Live
from loadtest.login import User
from loadtest.measures import Figures, Tick
from loadtest.page import LOGIN_WITHIN, Refused
from loadtest.problems import Failed, Problem
from loadtest.scenario import Scenario, scenarios
from loadtest.site import PATIENCE, Site
from loadtest.users import users_for

SETTLES_WITHIN = 10  # seconds, for what is on its way when the last message was sent
UNANSWERED = 10_000  # messages that may wait for an answer at a time


@dataclass(eq=False)
class Group:
    """Sockets that get the same messages."""

    scenario: Scenario
    clients: list[Client] = field(default_factory=list)
    members: int = 0  # who has heard from where on messages come
    turn: int = 0

    def sender(self) -> Client:
        """Return the next client that is connected. Raises Failed."""
        for _ in self.clients:
            self.turn = (self.turn + 1) % len(self.clients)
            if self.clients[self.turn].socket:
                return self.clients[self.turn]
        raise Failed("not sent: none of its sockets is open")


@dataclass
class Message:
    sent_at: float
    expected: int
    tick: Tick
    got: int = 0
    answered: bool = False


class Run:
    def __init__(self, options: Namespace):
        self.options = options
        self.figures = Figures(asked=vars(options), site=options.url, began=time.time())
        self.open = 0  # sockets
        self.kinds: dict[Scenario, list[Group]] = {}
        self.name = uuid4().hex[:8]  # of this run, in its messages
        self.messages: dict[str, Message] = {}  # by text; those that have not reached all yet
        self.owed = 0  # deliveries of these
        self.over = asyncio.Event()
        self.hurry = False
        self.crash: BaseException | None = None
        self.tasks: set[asyncio.Task] = set()

    async def run(self) -> Figures:
        """Raises Problem if it cannot begin."""
        async with Site(self.options.url, self.options.ca) as site:
            await site.agree(settings.LOADTEST_TOKEN)
            clients = self.plan(site)
            await self.try_login(clients[0].user)
            await self.try_socket(clients[0])
            self.live = Live(self)
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self.interrupt)
            work = self.spawn(self.work(clients))
            ends = {work, self.spawn(self.live.watch()), self.spawn(self.over.wait())}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            work.cancel()
            await self.settle()
            self.live.finish()
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.crash:
            raise self.crash
        self.figures.lost = sum(m.expected - m.got for m in self.messages.values() if m.answered or m.got)
        return self.figures

    def interrupt(self) -> None:
        """End the test at Ctrl+C; at a second one, without waiting for what is on its way."""
        self.hurry = self.figures.interrupted
        self.figures.interrupted = True
        self.over.set()

    async def settle(self) -> None:
        """Let what was sent arrive."""
        for _ in range(SETTLES_WITHIN * 20):
            if self.owed and self.open and not self.hurry:
                await asyncio.sleep(0.05)

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task:
        task = asyncio.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.ended)
        return task

    def ended(self, task: asyncio.Task) -> None:
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Failed):
            self.figures.failed(str(error))
        elif error:
            self.crash = error
            self.over.set()

    def plan(self, site: Site) -> list[Client]:
        """Give each socket a user and a place; a user's follow each other, so logins spread over the ramp."""
        options, groups = self.options, {}
        count = self.figures.users = users_for(options, site.facts)
        users = [User(site, n + 1, options.by, self.figures) for n in range(count)]
        kinds = list(scenarios(options.sockets, options.audience, options.path))
        clients = []
        for number in range(options.sockets):
            user = number * count // options.sockets
            kind = kinds[number % len(kinds)]
            path, name = kind.place(number // len(kinds), user)
            if (kind, name) not in groups:
                groups[kind, name] = Group(kind)
                self.kinds.setdefault(kind, []).append(groups[kind, name])
            clients.append(Client(self, site, users[user], path, groups[kind, name]))
            groups[kind, name].clients.append(clients[-1])
        return clients

    async def try_login(self, user: User) -> None:
        """Log in once, before many fail and are taken for somebody who guesses."""
        try:
            await user.login.proof()
        except Refused:
            raise Problem(
                f"The site does not let {user.name} in: its users were made with another LOADTEST_TOKEN. Run"
                f" `manage.py loadtest_users {self.figures.users}` there."
            ) from None
        except Failed as failed:
            raise Problem(f"{user.name} cannot log in: {failed}. The site's log says why.") from None

    async def try_socket(self, client: Client) -> None:
        try:
            await client.look()
        except Failed as failed:
            why = "The site's log says why."
            if str(failed) == "HTTP 403":
                why = "A proxy has to pass on Host and X-Forwarded-Proto, and to be in FORWARDED_ALLOW_IPS."
            raise Problem(f"{client.path} does not open to {client.user.name}: {failed}. {why}") from None

    async def work(self, clients: list[Client]) -> None:
        await self.ramp(clients)
        start = self.figures.ramp = self.live.seconds()
        self.figures.sending = (start, start + self.options.seconds)
        await self.send_all()

    async def ramp(self, clients: list[Client]) -> None:
        start, step = time.perf_counter(), self.options.ramp / len(clients)
        ready: dict[User, asyncio.Task] = {}
        ahead = len(clients) // self.figures.users  # the next user logs in while this one's sockets open
        for number, client in enumerate(clients):
            await asyncio.sleep(start + number * step - time.perf_counter())
            for user in (client.user, clients[min(number + ahead, len(clients) - 1)].user):
                if user not in ready:
                    ready[user] = self.spawn(self.prepare(user))
            self.spawn(self.begin(client, ready[client.user]))
        await asyncio.wait(ready.values(), timeout=LOGIN_WITHIN)
        waiting = [asyncio.create_task(client.settled.wait()) for client in clients]
        _, missing = await asyncio.wait(waiting, timeout=PATIENCE)
        for task in missing:
            task.cancel()
        if missing:
            self.figures.remarks.append(f"{len(missing)} sockets were not open {PATIENCE} s after the ramp.")

    async def prepare(self, user: User) -> None:
        try:
            await user.login.proof()
            for kind in self.kinds:
                await kind.prepare(user)
        except Failed as failed:
            self.figures.failed(str(failed))

    async def begin(self, client: Client, ready: asyncio.Task) -> None:
        await ready
        await client.stay()

    async def send_all(self) -> None:
        """Send at the given rate, whether or not what was sent before has arrived."""
        start, number = time.perf_counter(), 0
        end = start + self.options.seconds
        kinds = list(self.kinds.values())
        unanswered: set[asyncio.Task] = set()
        while self.options.rate and (due := start + number / self.options.rate) < end:
            wait = due - time.perf_counter()
            if wait > 0 or number % 100 == 0:
                await asyncio.sleep(wait)
            if time.perf_counter() > end:
                self.figures.remarks.append(f"There was no time to send more than {number} messages.")
                return
            groups = kinds[number % len(kinds)]
            if len(unanswered) < UNANSWERED:
                task = self.spawn(self.send(groups[number // len(kinds) % len(groups)], number))
                unanswered.add(task)
                task.add_done_callback(unanswered.discard)
            else:
                self.figures.failed(f"not sent: {UNANSWERED} others wait for an answer")
            number += 1
        await asyncio.sleep(end - time.perf_counter())

    async def send(self, group: Group, number: int) -> None:
        text = f"loadtest {self.name} {number}"
        tick = self.figures.tick
        message = self.messages[text] = Message(time.perf_counter(), group.members, tick)
        self.expect(message, message.expected)
        self.figures.sent += 1
        tick.sent += 1
        try:
            await group.scenario.send(group.sender(), text)
            message.answered = True
        except Failed as failed:
            self.figures.failed(str(failed))
            if not message.got:  # so it was hardly stored
                self.expect(message, -message.expected)
                del self.messages[text]
                return
        self.forget(text, message)

    def expect(self, message: Message, deliveries: int) -> None:
        self.owed += deliveries
        self.figures.expected += deliveries
        message.tick.expected += deliveries

    def delivered(self, client: Client, text: str) -> None:
        """Count a message that has come to a client, unless it was sent before the client took part."""
        message = self.messages.get(text)
        if message is not None and message.sent_at >= client.member_since:
            message.got += 1
            self.owed -= 1
            self.figures.delivered(time.perf_counter() - message.sent_at)
            self.forget(text, message)

    def forget(self, text: str, message: Message) -> None:
        if message.got >= message.expected and message.answered:
            self.messages.pop(text, None)

    def changed(self, by: int) -> None:
        """Count a socket that has opened, or is gone."""
        self.open += by
        self.figures.most = max(self.figures.most, self.open)
