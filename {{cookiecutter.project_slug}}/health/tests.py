from django.db.migrations.recorder import MigrationRecorder

from health import views
from realtime.hub import get_hub


async def test_healthy(async_client, transactional_db):
    response = await async_client.get("/api/health/")
    assert response.status_code == 200
    assert response.json() == {
        "status": "healthy",
        "container_type": "asgi",
        "async_enabled": True,
        "checks": {"database": "ok", "cache": "ok", "channels": "ok"},
    }


def test_healthy_under_wsgi(client, transactional_db):
    response = client.get("/api/health/")
    assert (response.status_code, response.json()["container_type"]) == (200, "wsgi")


async def test_unhealthy(async_client, transactional_db, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    response = await async_client.get("/api/health/")
    assert response.status_code == 503
    checks = response.json()["checks"]
    assert checks == {"database": "ok", "cache": "forgot what it was given", "channels": "ok"}


async def test_whoever_asks_is_answered(async_client, transactional_db, settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["example.com"], True
    for path, status in (("/api/health/", 200), ("/api/health/live/", 200), ("/api/asyncapi.json", 400)):
        assert (await async_client.get(path, headers={"host": "10.1.2.3"})).status_code == status


async def test_unhealthy_without_its_tables(async_client, transactional_db, monkeypatch):
    monkeypatch.setattr(views, "_migrated", [])
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda self: {})
    response = await async_client.get("/api/health/")
    assert response.status_code == 503
    assert "migrations are not applied" in response.json()["checks"]["database"]


async def test_unhealthy_while_draining(async_client, transactional_db, monkeypatch):
    monkeypatch.setattr(get_hub(), "draining", True)
    response = await async_client.get("/api/health/")
    assert (response.status_code, response.json()["checks"]["channels"]) == (503, "the server stops")
