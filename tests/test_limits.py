"""Limits on HTTP requests: what is too much is refused, and a process that has done enough makes way."""

import asyncio
from contextlib import AsyncExitStack, closing

import httpx
import pytest

from conversation import NOTIFICATIONS, people
from follower import Follower
from polling import until
from scraping import PROOF, TOKEN
from serving import each, running
from test_nginx import add_views
from variants import first

RECYCLED = [first(server=server, channel_layer="redis", rest_api="drf") for server in ("uvicorn", "gunicorn")]
LIMITED = RECYCLED[0]


@pytest.fixture(scope="module", params=each([LIMITED]))
def limited(request, installed):
    """A server that works on two requests at a time, with views that wait."""
    project = installed(request.param)
    urls = project.folder / "config/urls.py"
    before = urls.read_text(encoding="utf-8")
    add_views(project.folder)
    try:
        with running(project, MAX_CONCURRENT_REQUESTS="2", METRICS_TOKEN=TOKEN) as server:
            yield server
    finally:
        urls.write_text(before, encoding="utf-8")
        (project.folder / "extra.py").unlink()


async def stay(client):
    """Wait in a view, again if it is refused since somebody else is there."""
    while True:
        await client.get("/wait/")


async def answered(client, status):
    """Ask until the answer has this status; return it."""
    for _ in range(200):
        answer = await client.get("/who/")
        if answer.status_code == status:
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"{answer.status_code}, not {status}")


async def test_what_is_too_much_at_a_time_is_refused_and_nothing_else(limited):
    student, mentor = people(limited.url, LIMITED)
    with closing(student), closing(mentor):
        async with httpx.AsyncClient(base_url=limited.url, timeout=30) as client, AsyncExitStack() as stack:
            for person in (student, mentor):
                socket = await stack.enter_async_context(person.open(NOTIFICATIONS))
                await socket.frame("connection_established")
            streams = [
                await stack.enter_async_context(client.stream("GET", "/stream/?type=text/event-stream"))
                for _ in range(3)
            ]
            assert {stream.status_code for stream in streams} == {200}  # sockets and streams do not count
            waiting = [asyncio.create_task(stay(client)) for _ in range(2)]
            refused = await answered(client, 503)  # once both are under way
            assert refused.headers["retry-after"] == "1"
            assert (await client.get("/api/health/")).json()["status"] == "healthy"
            assert (await client.get("/api/health/live/")).status_code == 200
            metrics = await client.get("/metrics", headers=PROOF)
            assert 'status="503"' in metrics.text
            async with mentor.open(NOTIFICATIONS) as socket:
                await socket.frame("connection_established")
            for task in waiting:
                task.cancel()
            await until(lambda: all(task.done() for task in waiting))
            await answered(client, 200)  # there is room again, once the server has noticed
    assert "GET /who/ 503" in limited.output()


@pytest.mark.parametrize("variant", each(RECYCLED))
async def test_a_worker_that_has_done_enough_makes_way_and_drops_nobody(variant, installed):
    statuses = []

    async def ask():
        """Ask for health and a page by turns, on connections that are kept and on new ones."""
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as kept:
            for number in range(10_000):
                async with httpx.AsyncClient(base_url=server.url, timeout=30) as new:
                    for client in (kept, new):
                        path = ("/api/health/", "/accounts/login/")[number % 2]
                        statuses.append((await client.get(path)).status_code)

    with running(installed(variant), WEB_CONCURRENCY="2", MAX_REQUESTS="40") as server:
        workers = {process.pid for process in server.processes()[1:]}
        student, mentor = people(server.url, variant)
        with closing(student), closing(mentor):
            async with AsyncExitStack() as visits, asyncio.TaskGroup() as group:
                members = [
                    await visits.enter_async_context(Follower(person, NOTIFICATIONS))
                    for person in (student, mentor) * 5
                ]
                asking = group.create_task(ask())
                await until(lambda: "making way for a new process" in server.output(), 60, server)
                await until(lambda: {p.pid for p in server.processes()[1:]} - workers, 30, server)
                asking.cancel()  # or workers go on making way, and there is always somebody on the way back
                await until(lambda: all(member.connected for member in members), within=20)
        assert all(set(member.codes) <= {1012} and member.told >= len(member.codes) for member in members)
        assert set(statuses) == {200}
