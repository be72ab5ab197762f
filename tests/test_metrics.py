"""`/metrics` of running servers: whichever worker answers, it tells of all; and who blocks is named."""

import re
from contextlib import AsyncExitStack, closing, suppress
from types import SimpleNamespace

import httpx
import psutil
import pytest

from conversation import NOTIFICATIONS, people
from polling import until
from scraping import PROOF, TOKEN, Scrape
from serving import each, running
from variants import first

SERVERS = [
    first(server=server, channel_layer="redis", auth="session", rest_api="none")
    for server in ("uvicorn", "gunicorn", "granian", "daphne")
]
SOCKETS = 6

# A view that holds up everybody.
VIEW = """
import time

from django.http import HttpResponse


async def block(request):
    time.sleep(0.6)
    return HttpResponse()
"""


@pytest.fixture(scope="module", params=each(SERVERS))
def site(request, installed):
    """A server of a project, with two workers if it may have several, and with the view."""
    project = installed(request.param)
    urls = project.folder / "config/urls.py"
    before = urls.read_text(encoding="utf-8")
    (project.folder / "extra.py").write_text(VIEW, encoding="utf-8")
    urls.write_text(f'{before}\nimport extra\n\nurlpatterns += [path("block/", extra.block)]\n', encoding="utf-8")
    workers = 1 if project.variant["server"] == "daphne" else 2
    try:
        with running(project, METRICS_TOKEN=TOKEN, WEB_CONCURRENCY=str(workers)) as server:
            yield SimpleNamespace(project=project, server=server, workers=workers)
    finally:
        urls.write_text(before, encoding="utf-8")
        (project.folder / "extra.py").unlink()


async def test_the_line_that_blocks_is_named_in_the_log(site):
    httpx.get(f"{site.server.url}/block/", timeout=10)
    await until(lambda: "the event loop is held up" in site.server.output(), 5, site.server)
    seconds, line = re.search(r"held up for (\S+) s by extra.py:(\d+) in block\(\)\n", site.server.output()).groups()
    assert 0.25 <= float(seconds)
    assert VIEW.splitlines()[int(line) - 1].strip() == "time.sleep(0.6)"


async def test_whoever_answers_tells_of_all(site):
    student, mentor = people(site.server.url, site.project.variant)
    with closing(student), closing(mentor):
        async with AsyncExitStack() as stack:
            for person in (student, mentor) * (SOCKETS // 2):
                socket = await stack.enter_async_context(person.open(NOTIFICATIONS))
                await socket.ping()
            await until(lambda: sums(site) == (site.workers, SOCKETS, SOCKETS), 15, site.server)
            assert {sums(site) for _ in range(10)} == {(site.workers, SOCKETS, SOCKETS)}
        await until(lambda: sums(site) == (site.workers, 0, SOCKETS), 15, site.server)


def sums(site):
    scrape = Scrape(site.server)
    open_now = scrape.sum("realtime_connections", consumer="NotificationConsumer")
    return scrape.sum("realtime_processes"), open_now, scrape.sum("realtime_frames_received_total", type="ping")
