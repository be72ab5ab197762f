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
    assert response.json()["checks"] == {"database": "ok", "cache": "LookupError", "channels": "ok"}
