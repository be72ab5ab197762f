"""What all tests share: users, and sockets that go through the whole application."""

import asyncio
import json
from functools import cached_property
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.layers import channel_layers
from channels.routing import get_default_application
from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.management import create_contenttypes
from django.db import connections, transaction
from django.db.models.signals import post_migrate

from accounts.models import User
from config.routing import websocket_urlpatterns
from realtime import loops
from realtime.asyncapi import is_ours
from realtime.credentials import authenticator
from realtime.routes import flatten
from realtime.tests import sample

# What the tests need of each service that the project has.
SERVICES = Path(__file__).parent.glob("realtime/tests/service_*.py")
pytest_plugins = [f"realtime.tests.{service.stem}" for service in SERVICES]

HOST = "testserver"  # what the test client asks
TIMEOUT = 5  # seconds to wait for a frame


def pytest_configure():
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a quick one
    settings.ALLOWED_HOSTS = [HOST]
    settings.SECURE_SSL_REDIRECT = False
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 0  # no thread keeps a connection from test to test
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.SERVESTATIC_USE_STATIC_ROOT = False  # nothing has been collected
    websocket_urlpatterns[:0] = sample.websocket_urlpatterns
    get_default_application()  # sets up logging, which in the middle of a test would end its `caplog`


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Have what migrations put into the database put back at once, after a test that commits.

    Such a test empties all tables at its end, and Django would then look for each permission that is
    missing, which took as long as the tests themselves. Their ids stay the same.
    """
    with django_db_blocker.unblock():
        models = apps.get_models(include_auto_created=True)
        kept = [rows for model in models if (rows := list(model._base_manager.all()))]

    @transaction.atomic
    def put_back(**signal):
        for rows in kept:
            type(rows[0])._base_manager.bulk_create(rows)

    post_migrate.disconnect(create_contenttypes)
    for receiver in ("create_permissions", "rename_permissions"):
        post_migrate.disconnect(dispatch_uid=f"django.contrib.auth.management.{receiver}")
    post_migrate.connect(put_back, sender=apps.get_app_config("auth"), weak=False)


class Socket(ApplicationCommunicator):
    """The client's end of a WebSocket.

    Once open it has either `hello`, the first frame, or `code`, with which it was closed instead. A plain
    Channels consumer may say nothing at first, so of that there is no `hello`. `buffer` is how many messages
    it takes before the server has to wait until some are read; 0: any number.
    """

    hello = code = None

    def __init__(self, path, address, headers, subprotocols, buffer):
        path, _, query = path.partition("?")
        scope = {"type": "websocket", "path": path, "query_string": query.encode(), "client": (address, 0)}
        super().__init__(
            get_default_application(), {**scope, "headers": headers, "subprotocols": subprotocols}
        )
        self.buffer = buffer
        self.unread = []

    @cached_property
    def output_queue(self):
        return asyncio.Queue(self.buffer)

    async def open(self):
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(TIMEOUT)
        self.accepted, self.subprotocol = answer["type"] == "websocket.accept", answer.get("subprotocol")
        if self.accepted and greets(self.scope["path"]):
            await self.listen()
        if self.unread:
            self.hello = self.unread.pop()
            assert self.hello["type"] == "connection_established"

    async def listen(self):
        message = await self.receive_output(TIMEOUT)
        if message["type"] == "websocket.close":
            self.code = message.get("code", 1000)
        else:
            self.unread.append(content(message))

    async def send(self, type, **fields):
        await self.send_input({"type": "websocket.receive", "text": json.dumps({"type": type, **fields})})

    async def receive(self, *types):
        """Return the next frame of some types, or whatever comes next; others stay in `unread`."""
        wanted = " or ".join(types) or "anything"
        while True:
            for frame in self.unread:
                if not types or (isinstance(frame, dict) and frame.get("type") in types):
                    self.unread.remove(frame)
                    return frame
            assert self.code is None, f"closed with {self.code} before {wanted} came"
            try:
                await self.listen()
            except TimeoutError:
                raise AssertionError(f"no {wanted} within {TIMEOUT} s, but {self.unread}") from None

    async def request(self, type, id=1, **fields):
        """Send a frame with an id and return the reply."""
        await self.send(type, id=id, **fields)
        answer = await self.receive("reply", "error")
        assert answer["type"] == "reply", answer
        return answer

    async def close_code(self):
        """Return the code with which the server closes."""
        while self.code is None:
            await self.listen()
        return self.code

    async def disconnect(self, code=1000):
        await self.send_input({"type": "websocket.disconnect", "code": code})
        await self.wait(TIMEOUT)


def greets(path):
    """Whether a frame comes first there: from a consumer of the core, but from no plain one."""
    return is_ours(next(route.consumer for route in flatten(websocket_urlpatterns) if route.takes(path)))


def content(message):
    """Return the JSON in a message, or the text or bytes that are none."""
    data = message["bytes"] if message.get("text") is None else message["text"]
    try:
        return json.loads(data)
    except ValueError:
        return data


@pytest.fixture
async def connect(transactional_db):
    """Return a function that opens a `Socket`, as a user, as a guest, or with proof of the test's own."""
    sockets = []

    async def connect(
        path,
        user=None,
        *,
        address="127.0.0.1",
        origin=f"http://{HOST}",
        headers=(),
        subprotocols=(),
        buffer=0,
    ):
        headers, subprotocols = [(b"host", HOST.encode()), *headers], [*subprotocols]
        if origin:
            headers.append((b"origin", origin.encode()))
        if user:
            *_, kind = settings.REALTIME["AUTHENTICATION"]
            proof = await sync_to_async(authenticator(kind).log_in)(user)
            headers += [(name.lower().encode(), value.encode()) for name, value in proof.items()]
        socket = Socket(path, address, headers, subprotocols, buffer)
        sockets.append(socket)
        await socket.open()
        return socket

    yield connect
    for socket in sockets:
        if not socket.future.done():
            await socket.disconnect()


@pytest.fixture(autouse=True)
async def nothing_stays():
    """What runs on a test's event loop ends with the test, and connections are closed."""
    yield
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await loops.close()
    channel_layers.backends.clear()  # some keep locks of this event loop
    await sync_to_async(connections.close_all)()


@pytest.fixture
def student(transactional_db):
    return User.objects.create_user("student", password="a-secret")


@pytest.fixture
def mentor(transactional_db):
    return User.objects.create_user("mentor", password="a-secret")


@pytest.fixture
def admin(transactional_db):
    return User.objects.create_superuser("admin", password="a-secret")
