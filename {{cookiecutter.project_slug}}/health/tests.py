import asyncio
import threading
from types import SimpleNamespace

import pytest
from django.core.cache.backends.dummy import DummyCache
from django.db.migrations.recorder import MigrationRecorder

from health import checkup
from realtime.database import THREADS
from realtime.hub import Hub, get_hub
from realtime.lag import LagSampler


@pytest.fixture(autouse=True)
def no_more_checks(monkeypatch):
    """What apps add is theirs to test."""
    monkeypatch.setattr(checkup, "modules", lambda name: [])


async def test_healthy(async_client, transactional_db):
    response = await async_client.get("/api/health/")
    assert response.status_code == 200
    assert response.json() | {"warnings": []} == {  # this machine may be busy
        "status": "healthy",
        "container_type": "asgi",
        "async_enabled": True,
        "checks": {"database": "ok", "cache": "ok", "channels": "ok"},
        "warnings": [],
    }


async def test_warnings_make_nobody_unhealthy(async_client, transactional_db, monkeypatch):
    monkeypatch.setattr(Hub, "age", lambda self: 1.2)
    monkeypatch.setattr(LagSampler, "recent", lambda self: (0.31, 0.5))
    response = await async_client.get("/api/health/")
    assert (response.status_code, response.json()["status"]) == (200, "healthy")
    lag, age = response.json()["warnings"]
    assert lag.startswith("the event loop lags by 0.3 s, at most 0.5 s")
    assert age == "events wait for 1.2 s"


def test_healthy_under_wsgi(client, transactional_db):
    response = client.get("/api/health/")
    assert (response.status_code, response.json()["container_type"]) == (200, "wsgi")


async def test_unhealthy(async_client, transactional_db, monkeypatch):
    monkeypatch.setattr(checkup, "cache", DummyCache("", {}))
    response = await async_client.get("/api/health/")
    assert response.status_code == 503
    checks = response.json()["checks"]
    assert checks == {"database": "ok", "cache": "forgot what it was given", "channels": "ok"}


async def test_whoever_asks_is_answered(async_client, transactional_db, settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["example.com"], True
    for path, status in (("/api/health/", 200), ("/api/health/live/", 200), ("/api/asyncapi.json", 400)):
        assert (await async_client.get(path, headers={"host": "10.1.2.3"})).status_code == status


async def test_what_an_app_can_do_without_is_a_warning(async_client, transactional_db, monkeypatch):
    async def check():
        raise checkup.Unhealthy("it is away")

    app = SimpleNamespace(checks={"parcels": check})
    monkeypatch.setattr(checkup, "modules", lambda name: [app])
    response = await async_client.get("/api/health/")
    assert (response.status_code, response.json()["checks"]["parcels"]) == (200, "it is away")
    assert "parcels: it is away" in response.json()["warnings"]


async def test_unhealthy_without_its_tables(async_client, transactional_db, monkeypatch):
    monkeypatch.setattr(checkup, "_migrated", [])
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda self: {})
    response = await async_client.get("/api/health/")
    assert response.status_code == 503
    assert "migrations are not applied" in response.json()["checks"]["database"]


async def test_unhealthy_while_draining(async_client, transactional_db, monkeypatch):
    assert (await async_client.get("/api/health/")).status_code == 200
    monkeypatch.setattr(get_hub(), "draining", True)  # is told at once
    response = await async_client.get("/api/health/")
    assert (response.status_code, response.json()["checks"]["channels"]) == (503, "the server stops")


@pytest.mark.parametrize(
    ("away", "age", "status", "words"),
    [
        (True, 0.0, 503, "the channel layer is away"),
        (False, 7.2, 503, "events wait for 7 s"),
        (False, 4.9, 200, "ok"),
    ],
)
async def test_what_the_hub_knows_is_told_at_once(
    async_client, transactional_db, monkeypatch, away, age, status, words
):
    assert (await async_client.get("/api/health/")).status_code == 200
    monkeypatch.setattr(Hub, "away", away)
    monkeypatch.setattr(Hub, "age", lambda self: age)
    monkeypatch.setattr(Hub, "probe", None)
    response = await async_client.get("/api/health/")
    assert (response.status_code, response.json()["checks"]["channels"]) == (status, words)


async def test_however_many_ask_there_is_one_check(async_client, transactional_db, monkeypatch):
    hub, probes = get_hub(), []
    probe = hub.probe

    def counted():
        probes.append(asyncio.current_task())
        return probe()

    monkeypatch.setattr(hub, "probe", counted)

    async def ask():
        answers = await asyncio.gather(*(async_client.get("/api/health/") for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        return len(probes)

    assert [await ask(), await ask()] == [1, 1]
    checkup.forget()
    assert await ask() == 2


@pytest.fixture
def hanging(monkeypatch):
    """The check of the database hangs until this event is set; a check may last a moment only."""
    released, check = threading.Event(), checkup.check_database
    monkeypatch.setattr(checkup, "TIMEOUT", 0.3)
    monkeypatch.setattr(checkup, "FRESH_SECONDS", 0)
    with monkeypatch.context() as patch:
        patch.setattr(check, "check", released.wait)
        yield released
        released.set()
        check.running.result(5)


async def test_a_check_that_hangs_holds_one_thread(async_client, transactional_db, hanging, monkeypatch):
    for _ in range(3):
        response = await async_client.get("/api/health/")
        assert response.status_code == 503
        checks = response.json()["checks"]
        assert checks == {"database": "no answer within 0.3 s", "cache": "ok", "channels": "ok"}
        assert [thread.name for thread in threading.enumerate()].count("health") == 1
    hanging.set()
    monkeypatch.setattr(checkup, "TIMEOUT", 5)
    assert (await async_client.get("/api/health/")).status_code == 200


async def test_a_probe_that_hangs(async_client, transactional_db, monkeypatch):
    monkeypatch.setattr(checkup, "TIMEOUT", 0.1)
    monkeypatch.setattr(get_hub(), "probe", asyncio.Event().wait)
    response = await async_client.get("/api/health/")
    assert (response.status_code, response.json()["checks"]["channels"]) == (503, "no answer within 0.1 s")


async def test_busy_threads_of_sockets_do_not_matter(async_client, transactional_db, settings):
    released = threading.Event()
    busy = [THREADS.submit(released.wait) for _ in range(settings.REALTIME["DATABASE_THREADS"])]
    try:
        assert (await async_client.get("/api/health/")).status_code == 200
    finally:
        released.set()
    assert all(future.result(5) for future in busy)
