"""`/metrics` of running servers: whichever worker answers, it tells of all; and who blocks is named."""

import asyncio
import json
import re
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from functools import partial
from itertools import filterfalse, product
from types import SimpleNamespace

import httpx
import pytest
from websockets.protocol import State

from conversation import NOTIFICATIONS, people
from offered import TEMPLATE
from polling import until
from prometheus import check, expressions, metrics_in, watching
from scraping import PROOF, TOKEN, Scrape
from serving import each, running
from variants import first

MONITORING = TEMPLATE / "{{cookiecutter.project_slug}}" / "deploy/monitoring"
SERVERS = [
    first(server=server, channel_layer="redis", auth="session")
    for server in ("uvicorn", "gunicorn", "granian", "daphne")
]
REPLACING = SERVERS[:2]  # start another worker when one ends
SOCKETS = 6
COUNTED = "realtime_connections_opened_total", "realtime_frames_sent_total", "process_cpu_seconds_total"

# A view that holds up everybody, and its address.
VIEW = """
import time

from django.http import HttpResponse


async def block(request):
    time.sleep(0.6)
    return HttpResponse()
"""
ROUTE = """
import extra

urlpatterns += [path("block/", extra.block)]
"""


@pytest.fixture(scope="module", params=each(SERVERS))
def site(request, installed):
    """A server of a project, with two workers if it may have several, and with the view."""
    project = installed(request.param)
    urls = project.folder / "config/urls.py"
    before = urls.read_text(encoding="utf-8")
    (project.folder / "extra.py").write_text(VIEW, encoding="utf-8")
    urls.write_text(before + ROUTE, encoding="utf-8")
    workers = 1 if project.variant["server"] == "daphne" else 2
    try:
        with running(project, METRICS_TOKEN=TOKEN, WEB_CONCURRENCY=str(workers)) as server:
            yield SimpleNamespace(project=project, server=server, workers=workers)
    finally:
        urls.write_text(before, encoding="utf-8")
        (project.folder / "extra.py").unlink()


async def test_the_line_that_blocks_is_named_in_the_log(site):
    said = re.compile(r"the event loop is held up for (\S+) s by extra.py:(\d+) in block\(\)\n")
    async with httpx.AsyncClient(base_url=site.server.url) as client:
        await client.get("/block/")
    await until(lambda: said.search(site.server.output()), 5, site.server)
    seconds, line = said.search(site.server.output()).groups()
    assert float(seconds) >= 0.25
    assert VIEW.splitlines()[int(line) - 1].strip() == "time.sleep(0.6)"


async def test_whoever_answers_tells_of_all(site):
    async with sockets(site, SOCKETS):
        whole = {"realtime_processes": site.workers, "realtime_connections": SOCKETS}
        await until(lambda: figures(site) == whole, 15, site.server)
        assert [figures(site) for _ in range(10)] == [whole] * 10
    await until(lambda: figures(site)["realtime_connections"] == 0, 15, site.server)
    scrape = Scrape(site.server)
    assert scrape.sum("realtime_connections_opened_total") >= SOCKETS
    assert scrape.sum("realtime_connections_closed_total", code="1000") >= SOCKETS
    assert scrape.sum("realtime_frames_received_total", type="ping") >= SOCKETS
    assert scrape.sum("http_requests_total", method="POST", view="login", status="302") >= 2


@pytest.mark.parametrize("site", each(REPLACING), indirect=True)
async def test_a_killed_worker_takes_its_gauges_along_and_leaves_what_it_counted(site):
    async with sockets(site, SOCKETS) as opened:
        await until(lambda: figures(site)["realtime_connections"] == SOCKETS, 15, site.server)
        scrapes = [Scrape(site.server)]
        worker_of(opened[0], site.server).kill()
        await opened[0].closed()

        def another_stands_in():
            with suppress(httpx.TransportError):  # what the dead worker had accepted
                scrapes.append(Scrape(site.server))
            alive = sum(talk.socket.state is State.OPEN for talk in opened)
            *_, last = scrapes
            return (last.sum("realtime_processes"), last.sum("realtime_connections")) == (2, alive)

        await until(another_stands_in, 20, site.server)
    for name in COUNTED:
        counts = [scrape.sum(name) for scrape in scrapes]
        assert counts == sorted(counts), name


@asynccontextmanager
async def sockets(site, number):
    """So many open sockets, each of which has been answered."""
    student, mentor = people(site.server.url, site.project.variant)
    with closing(student), closing(mentor):
        async with AsyncExitStack() as stack:
            opened = []
            for person in (student, mentor) * (number // 2):
                opened.append(await stack.enter_async_context(person.open(NOTIFICATIONS)))
                await opened[-1].ping()
            yield opened


def worker_of(talk, server):
    """Return the process at the other end of a socket."""
    port = talk.socket.local_address[1]
    (worker,) = (
        process
        for process in server.processes()
        if any(it.raddr and it.raddr.port == port for it in process.net_connections("tcp"))
    )
    return worker


def figures(site):
    scrape = Scrape(site.server)
    return {name: scrape.sum(name) for name in ("realtime_processes", "realtime_connections")}


# -- Prometheus itself -------------------------------------------------------------------------------------


def test_its_own_tool_has_no_complaints_about_the_alerts():
    check("check", "rules", "alerts.yml", cwd=MONITORING)
    check("test", "rules", "alerts_test.yml", cwd=MONITORING)


@pytest.mark.parametrize("site", each(SERVERS[:1]), indirect=True)
async def test_prometheus_scrapes_it(site, tmp_path):
    """It gets what the alerts and each panel of the dashboard ask for; with another token it gets nothing."""
    async with sockets(site, 2):
        pass  # so that some are closed
    check("check", "metrics", cwd=tmp_path, input=Scrape(site.server).text)
    monitoring = site.project.folder / "deploy/monitoring"
    dashboard = json.loads((monitoring / "dashboard.json").read_text(encoding="utf-8"))
    alerts = (monitoring / "alerts.yml").read_text(encoding="utf-8")
    with watching(site.server, monitoring, TOKEN, tmp_path) as prometheus:
        await until(lambda: prometheus.errors() == [""], 10)
        async with sockets(site, SOCKETS):
            asked = expressions(dashboard)
            with suppress(AssertionError):
                await until(lambda: all(map(prometheus.has, asked)), 20)
            assert [*filterfalse(prometheus.has, asked)] == []
        assert metrics_in(alerts) <= prometheus.names()
        (group,) = prometheus.get("rules")["groups"]
        assert {(rule["health"], rule["state"]) for rule in group["rules"]} == {("ok", "inactive")}
        (tmp_path / "metrics_token").write_text("another-token-of-some-length", encoding="ascii")
        await until(lambda: "401 Unauthorized" in prometheus.errors()[0], 10)


@pytest.mark.parametrize("site", each(SERVERS[:1]), indirect=True)
async def test_it_is_answered_while_redis_hangs_and_while_the_server_stops(site, valkey):
    async with sockets(site, 2) as opened:
        with valkey.stopped():
            away = partial(Scrape.sum, name="realtime_layer_away")
            await until(lambda: away(Scrape(site.server)) == site.workers, 20, site.server)
        for talk in opened:
            talk.socket.transport.pause_reading()  # so that they do not answer when they are closed
        async with httpx.AsyncClient(base_url=site.server.url, headers=PROOF) as kept:
            await kept.get("/metrics")  # which connects
            site.server.terminate()
            for _ in range(100):
                answer = await kept.get("/metrics")
                if "\nrealtime_draining 0\n" not in answer.text:
                    break
                await asyncio.sleep(0.05)
            assert (answer.status_code, "\nrealtime_draining " in answer.text) == (200, True)
            assert "\nrealtime_draining 0\n" not in answer.text


NO_PLACE = """
import tempfile


def mkdtemp(**_):
    raise FileNotFoundError(2, "No usable temporary directory found")


tempfile.mkdtemp = mkdtemp
from django.conf import settings

from serving.workers import shared_figures

with shared_figures(settings.WEB_CONCURRENCY):
    print("served")
"""


@pytest.mark.parametrize("variant", each(SERVERS[:1]))
def test_workers_without_a_place_for_their_figures_are_refused(variant, installed):
    command = (".venv/bin/python", "-c", NO_PLACE)
    said = installed(variant).run(*command, fails=True, METRICS_TOKEN=TOKEN, WEB_CONCURRENCY="2")
    assert said.startswith("There is no folder for the workers' metrics: ")
    assert said.endswith("Set METRICS_FOLDER to one.\n")
    assert said.count("\n") == 1


def test_the_dashboard_is_one():
    dashboard = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    assert dashboard["schemaVersion"] >= 36
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [(x, y) for panel in panels for x, y in cells(**panel["gridPos"])]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) == 23


def cells(x, y, w, h):
    """Return the cells of Grafana's grid, 24 to a line, that a panel takes."""
    return product(range(x, x + w), range(y, y + h))
