"""Projects with fewer parts boot, too, and servers wait for the services that they need."""

from contextlib import closing

import httpx
import pytest

from client import Person, talk
from offered import OPTIONS
from serving import each, running
from variants import PARTIAL, first

SOCKETS = {
    "rooms": "/ws/rooms/lobby/",
    "notifications": "/ws/notifications/",
    "leaderboard": "/ws/leaderboard/",
}
# Whose sockets these are.
APPS = {"chat": "assistant", "interview": "rooms", "mentor": "mentoring", "student": "mentoring"}
WITH_SERVICES = [
    first(server=server, channel_layer="redis", database="postgresql") for server in OPTIONS["server"]
]


@pytest.mark.parametrize("variant", each(PARTIAL))
async def test_what_was_chosen_is_served_and_nothing_else(variant, installed):
    project = installed(variant)
    by = "jwt" if variant["auth"] == "jwt" else "session"
    pages = "" if variant["frontend"] == "templates" else "/api"  # where React and others ask what they show
    with running(project) as server, closing(Person(server.url, "student", by)) as student:
        assert student.browser.get("/").status_code == 200
        channels = student.browser.get("/api/asyncapi.json").json()["channels"].values()
        served = {channel["address"].split("/")[2] for channel in channels}
        assert {APPS.get(name, name) for name in served} == chosen(variant) | {"admin", ""}  # "": /ws/ itself
        for consumer, path in SOCKETS.items():
            there = consumer in chosen(variant)
            assert student.browser.get(f"{pages}/{consumer}/").status_code == (200 if there else 404)
            async with student.open(path) as socket:
                if there:
                    assert (await socket.frame())["type"] == "connection_established"
                    await socket.ping()
                else:
                    assert await socket.closed() == 4404
            async with talk(uri=student.address(path)["uri"]) as socket:
                assert await socket.closed() == 4401
        for path in ("/api/docs/", "/api/notes/"):
            answer = student.browser.get(path)
            assert (answer.status_code == 404) == (variant["rest_api"] == "none")


def chosen(variant):
    return set(variant["consumers"].split(", ")) - {"none"}


@pytest.mark.parametrize("variant", each(WITH_SERVICES))
def test_a_server_starts_before_its_services(variant, installed, valkey, postgresql):
    """Health says 503 until they are there, without a restart."""
    project = installed(variant)
    services = [valkey, postgresql]
    for service in services:
        service.kill()
    try:
        with running(project, status=503) as server:
            checks = httpx.get(f"{server.url}/api/health/", timeout=30).json()["checks"]
            assert checks["channels"] != "ok"
            assert checks["database"] != "ok"
            for service in services:
                service.start()
            server.wait_until_healthy()
    finally:
        for service in services:
            service.start()
