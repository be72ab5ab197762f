import asyncio
import gc

import pytest
from django.core.signals import request_finished
from django.http import HttpResponse
from django.urls import path

from conftest import HOST, TIMEOUT
from serving.handler import LONG, Handler

ended: list[str] = []  # how requests for `slow` did


async def quick(request):
    return HttpResponse("quick")


def failing(request):
    raise RuntimeError("as it was asked to")


async def slow(request):
    try:
        await asyncio.sleep(TIMEOUT)
    except asyncio.CancelledError:
        ended.append("cancelled")
        raise
    ended.append("in vain")


urlpatterns = [path("quick/", quick), path("slow/", slow), path("failing/", failing)]


class Client:
    """A connection that a server has: what the client sends, what it gets, and whether it has left."""

    def __init__(self, path, application=None):
        self.application = application or Handler()
        self.path = path
        self.sent = []
        self.messages = asyncio.Queue()
        self.messages.put_nowait({"type": "http.request"})

    async def send(self, message):
        self.sent.append(message)

    def leave(self):
        self.messages.put_nowait({"type": "http.disconnect"})

    def ask(self):
        headers = [(b"host", HOST.encode())]
        scope = {"type": "http", "method": "GET", "path": self.path, "query_string": b"", "headers": headers}
        return asyncio.create_task(self.application(scope, self.messages.get, self.send))  # as a server does


@pytest.fixture(autouse=True)
def views(settings):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    ended.clear()


@pytest.fixture
def finished():
    """The requests whose end was told."""
    requests = []

    def note(**signal):
        requests.append(signal)

    request_finished.connect(note)
    yield requests
    request_finished.disconnect(note)


async def test_an_answer_is_sent_and_the_end_told(finished):
    client = Client("/quick/")
    await client.ask()
    assert [message.get("status", message.get("body")) for message in client.sent] == [200, b"quick"]
    assert len(finished) == 1


async def test_who_leaves_has_what_is_done_for_them_cancelled(finished):
    client = Client("/slow/")
    request = client.ask()
    await asyncio.sleep(2 * LONG)
    client.leave()
    async with asyncio.timeout(TIMEOUT / 2):
        await request
    assert (ended, client.sent, len(finished)) == (["cancelled"], [], 1)


async def test_who_leaves_before_it_is_noticed_does_so_too(finished):
    client = Client("/slow/")
    client.leave()
    async with asyncio.timeout(TIMEOUT / 2):
        await client.ask()
    assert (ended, client.sent, len(finished)) == (["cancelled"], [], 1)


async def test_a_server_that_cancels_a_request_is_not_kept_from_it():
    client = Client("/slow/")
    request = client.ask()
    await asyncio.sleep(2 * LONG)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert ended == ["cancelled"]


async def test_a_server_that_fails_meanwhile_ends_the_request():
    client = Client("/slow/")
    client.messages.put_nowait({"type": "http.nonsense"})
    with pytest.raises(AssertionError):
        await client.ask()
    assert (ended, client.sent) == (["cancelled"], [])


async def test_an_error_is_answered(finished):
    client = Client("/failing/")
    await client.ask()
    assert (client.sent[0]["status"], len(finished)) == (500, 1)


async def test_who_is_gone_before_the_request_is_there_gets_no_answer(finished):
    client = Client("/quick/")
    client.messages = asyncio.Queue()
    client.leave()
    await client.ask()
    assert (client.sent, finished) == ([], [])


async def test_requests_leave_little_to_the_garbage_collector():
    """Django 6.1's own handler leaves 200 objects of each."""
    for _ in range(3):
        await Client("/quick/").ask()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            await Client("/quick/").ask()
        assert gc.collect() < 20 * 50
    finally:
        gc.enable()
