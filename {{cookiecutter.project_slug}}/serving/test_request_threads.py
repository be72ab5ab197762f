import asyncio
import threading
from contextvars import ContextVar

import pytest
from asgiref.sync import sync_to_async
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, connections, reset_queries, transaction
from django.db.backends.signals import connection_created
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils import translation

from accounts.models import User
from conftest import TIMEOUT
from serving.handler import Handler
from serving.request_threads import IDLE, RequestThread, RequestThreads
from serving.test_handler import Client

mark = ContextVar("mark", default="no mark")


def state(request):
    """Tell in which thread a request is, and what it finds there, before leaving something itself."""
    found = f"{threading.get_ident()} {mark.get()} {translation.get_language()} {User.objects.count()}"
    mark.set("mark")
    translation.activate("de")
    return HttpResponse(found)


async def nothing(request):
    return HttpResponse("nothing")


def begin_transaction(request):
    transaction.set_autocommit(False)
    User.objects.create_user("nobody")
    return HttpResponse()


async def stream(request):
    async def content():
        for _ in range(3):
            yield f"{await sync_to_async(threading.get_ident)()} "
            await asyncio.sleep(0.01)

    return StreamingHttpResponse(content())


urlpatterns = [path(f"{view.__name__}/", view) for view in (state, nothing, begin_transaction, stream)]


@pytest.fixture
async def lend():
    """Return a function that puts an application on threads; at the end these close their connections."""
    lenders = []

    def lend(application):
        lenders.append(RequestThreads(application))
        return lenders[-1]

    yield lend
    for thread in (thread for lender in lenders for thread in lender.idle):
        await asyncio.wrap_future(thread.submit(connections.close_all))
        thread.shutdown()


@pytest.fixture
async def call(lend):
    """Return a function that makes a request of some sync code."""

    async def application(scope, receive, send):
        scope["result"] = await sync_to_async(scope["code"])()

    application = lend(application)

    async def call(code):
        scope = {"code": code}
        await application(scope, None, None)
        return scope["result"]

    return call


@pytest.fixture
async def get(lend, transactional_db, settings):
    """Return a function that has Django answer a request for one of the views here."""
    settings.ROOT_URLCONF = __name__
    django = lend(Handler())

    async def get(path):
        client = Client(path, django)
        await client.ask()
        assert client.sent[0]["status"] == 200
        return b"".join(message.get("body", b"") for message in client.sent).decode().split()

    return get


async def test_a_thread_serves_one_request_after_the_other(call):
    assert len({await call(threading.get_ident) for _ in range(5)}) == 1


def meeting(number):
    """Return a function that tells in which thread it is once so many are in it."""
    together = threading.Barrier(number)

    def meet():
        together.wait(TIMEOUT)
        return threading.current_thread()

    return meet


async def test_two_requests_are_never_in_one_thread(call):
    meet = meeting(10)
    threads = await asyncio.gather(*(call(meet) for _ in range(10)))
    assert len(set(threads)) == 10
    assert await call(threading.current_thread) in threads


async def test_after_a_rush_some_threads_stay_and_the_others_end(call):
    rush, calm = meeting(IDLE + 5), meeting(IDLE)
    threads = set(await asyncio.gather(*(call(rush) for _ in range(IDLE + 5))))
    kept = set(await asyncio.gather(*(call(calm) for _ in range(IDLE))))
    assert kept < threads
    for thread in threads - kept:
        await asyncio.to_thread(thread.join, TIMEOUT)
        assert not thread.is_alive()


async def test_a_thread_that_still_works_for_a_cancelled_request_gets_no_other(call):
    works, goes_on = threading.Event(), threading.Event()

    def work():
        busy.append(threading.current_thread())
        works.set()
        goes_on.wait(TIMEOUT)

    busy = []
    request = asyncio.create_task(call(work))
    await asyncio.to_thread(works.wait, TIMEOUT)
    request.cancel()
    await asyncio.wait([request], timeout=TIMEOUT)
    assert request.cancelled()
    async with asyncio.timeout(TIMEOUT):
        assert await call(threading.current_thread) not in busy
    goes_on.set()
    await asyncio.to_thread(busy[0].join, TIMEOUT)
    assert not busy[0].is_alive()


async def test_what_outlives_a_request_has_no_thread_of_another(lend):
    tasks = []

    async def application(scope, receive, send):
        async def later():
            await asyncio.sleep(0.05)
            return await sync_to_async(threading.get_ident)()

        tasks.append(asyncio.create_task(later()))
        scope["thread"] = await sync_to_async(threading.get_ident)()

    scope = {}
    await lend(application)(scope, None, None)
    assert await tasks[0] != scope["thread"]


async def test_a_thread_keeps_its_connection_where_that_may_get_old(get, monkeypatch):
    """But not longer than its request where there is a pool, to which it goes back."""
    may_get_old = connections.settings["default"]
    if "pool" not in may_get_old["OPTIONS"]:
        monkeypatch.setitem(may_get_old, "CONN_MAX_AGE", 60)
    opened = []

    def note(connection, **signal):
        opened.append(threading.get_ident())

    connection_created.connect(note)
    try:
        threads = {(await get("/state/"))[0] for _ in range(3)}
    finally:
        connection_created.disconnect(note)
    assert len(threads) == 1
    assert len(opened) == (3 if "pool" in may_get_old["OPTIONS"] else 1)


async def test_a_connection_that_has_got_too_old_meanwhile_is_not_used(call, transactional_db):
    def make_old():
        User.objects.count()
        connection.close_at = 0

    await call(make_old)
    assert await call(lambda: connection.connection) is None


@pytest.fixture
def as_without_tests_and_debug():
    """DEBUG keeps one of these at the start of a request, and the test client puts the other back there."""
    receivers = [each for each in (reset_queries, close_old_connections) if request_started.disconnect(each)]
    yield
    for receiver in receivers:
        request_started.connect(receiver)


async def test_a_request_that_needs_no_thread_waits_for_none(get, as_without_tests_and_debug, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(RequestThread, "submit", lambda *arguments: pytest.fail("it used a thread"))
        assert await get("/nothing/") == ["nothing"]


async def test_others_hear_in_a_thread_that_a_request_has_ended(get):
    heard = []

    def hear(**signal):
        heard.append(User.objects.count())

    request_finished.connect(hear)
    try:
        await get("/nothing/")
    finally:
        request_finished.disconnect(hear)
    assert heard == [0]


async def test_nothing_stays_in_a_thread_for_the_next_request(get):
    thread, *found = await get("/state/")
    assert found == ["no", "mark", "en-us", "0"]
    assert await get("/state/") == [thread, *found]


async def test_what_a_request_has_begun_and_not_committed_is_undone(get):
    thread, *found = await get("/state/")
    await get("/begin_transaction/")
    assert await get("/state/") == [thread, *found]


async def test_a_stream_keeps_its_thread(get):
    streams = await asyncio.gather(*(get("/stream/") for _ in range(3)))
    assert [len(set(threads)) for threads in streams] == [1, 1, 1]
    assert len({threads[0] for threads in streams}) == 3
