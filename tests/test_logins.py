"""Logins that end, on real servers: their tickets and tokens end with them, and nobody else is put out."""

from contextlib import closing

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from client import Person, address, talk
from offered import OPTIONS
from serving import PASSWORD, each, running
from variants import first

NOTIFICATIONS = "/ws/notifications/"


ALL = [first(server="uvicorn", channel_layer="redis", auth=auth) for auth in OPTIONS["auth"]]
WITH_TOKENS = [variant for variant in ALL if variant["auth"] != "session"]

# What the owner of a project may set; the project itself does not.
ROTATING = """
from config.settings import *

SIMPLE_JWT = {**SIMPLE_JWT, "ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True}
"""


@pytest.fixture(scope="module", params=each(ALL))
def served(request, installed):
    """A project that is being served; where it has tokens, they rotate."""
    project = installed(request.param)
    environment = {}
    if request.param in WITH_TOKENS:
        (project.folder / "rotating.py").write_text(ROTATING)
        environment["DJANGO_SETTINGS_MODULE"] = "rotating"
    with running(project, **environment) as server:
        yield project, server
    (project.folder / "rotating.py").unlink(missing_ok=True)


@pytest.fixture
def student(served):
    project, server = served
    with closing(Person(server.url, "student", "session")) as student:
        if project.variant["auth"] != "session":
            student.by = "jwt"
        yield student
    assert "Traceback" not in server.output()


def log_out(person):
    if person.by == "jwt":
        answer = token_view(person, "logout/", refresh=person.tokens["refresh"])
    else:
        answer = person.post("/accounts/logout/")
    assert answer.status_code == 200, answer.text


def token_view(person, path, **data):
    return httpx.post(f"{person.url}/api/token/{path}", json=data)


def asks_with(person, access):
    """Return the status with which the API answers to an access token."""
    headers = {"Authorization": f"Bearer {access}"}
    return httpx.get(f"{person.url}/api/notes/", headers=headers).status_code


async def close_code(**arguments):
    async with talk(**arguments) as socket:
        return await socket.closed()


async def test_a_ticket_and_its_socket_end_with_the_login(student):
    used, kept = [student.address(NOTIFICATIONS, by="ticket", origin=None) for _ in range(2)]
    async with talk(**used) as socket:
        await socket.frame("connection_established")
        log_out(student)
        assert await socket.closed() == 4401
    assert await close_code(**kept) == 4401


async def test_the_ticket_of_a_page_ends_with_its_session(student):
    ticket = student.post("/api/ws-ticket/").json()["ticket"]
    student.post("/accounts/logout/")
    assert await close_code(uri=address(student.url, NOTIFICATIONS, ticket=ticket)) == 4401


@pytest.mark.parametrize("served", each(WITH_TOKENS), indirect=True)
async def test_an_access_token_ends_with_the_login(student):
    access, socket = student.tokens["access"], student.address(NOTIFICATIONS)
    other = token_view(student, "", username="student", password=PASSWORD).json()
    assert asks_with(student, access) == 200
    log_out(student)
    assert asks_with(student, access) == 401
    assert await close_code(**socket) == 4401
    assert asks_with(student, other["access"]) == 200


@pytest.mark.parametrize("served", each(WITH_TOKENS), indirect=True)
async def test_a_refresh_token_is_renewed_under_an_open_socket(student):
    first = student.tokens
    async with student.open(NOTIFICATIONS) as socket:
        await socket.frame("connection_established")
        second = token_view(student, "refresh/", refresh=first["refresh"]).json()
        assert second["refresh"] != first["refresh"]
        assert (await socket.request("auth.refresh", token=second["access"]))["ok"]
        assert asks_with(student, first["access"]) == 200
        assert token_view(student, "refresh/", refresh=first["refresh"]).status_code == 401
        student.tokens = second
        log_out(student)
        assert await socket.closed() == 4401
    assert [asks_with(student, pair["access"]) for pair in (first, second)] == [401, 401]


def test_the_command_that_tests_sockets(served):
    project, server = served
    url = server.url.replace("http", "ws").replace("127.0.0.1", "localhost")
    lacks_worker = project.variant["tasks"] == "celery"
    said = project.manage("test_websocket", "--url", url, fails=lacks_worker)
    assert "event from here: ok" in said
    assert not lacks_worker or said.endswith("Not well: worker.\n")


@pytest.mark.parametrize("variant", each(ALL))
async def test_without_redis(variant, installed):
    """Nobody is let in, and all are told so: pages by 503 and 403, sockets by a close code."""
    with running(installed(variant), status=503, REDIS_URL="redis://127.0.0.1:1/0") as server:
        with closing(Person(server.url, "student", "session")) as student:
            answer = student.post("/api/ws-ticket/")
            assert (answer.status_code, list(answer.json())) == (503, ["detail"])
            good = student.address(NOTIFICATIONS, by="session")
        assert await close_code(**good) == 1013
        assert await close_code(uri=address(server.url, NOTIFICATIONS, ticket="any")) == 1013
        for bad in ("https://evil.example", "null", "http://[", f"{server.url}0", f"{server.url}:99999"):
            with pytest.raises(InvalidStatus) as refusal:
                async with talk(**good | {"origin": bad}):
                    pass
            assert refusal.value.response.status_code == 403
        assert "Traceback" not in server.output()
