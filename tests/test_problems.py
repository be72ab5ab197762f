"""Problems over HTTP: the same from a sync and an async view, under ASGI and WSGI, at once after a change."""

from itertools import product

import httpx
import pytest

from client import Person
from serving import each, running
from variants import first

SHARED = first(channel_layer="redis", auth="session", rest_api="drf")
PATHS = ("/api/problems/", "/api/async/problems/")

# config.wsgi by a server that every Python has.
UNDER_WSGI = """
import os
from wsgiref.simple_server import make_server
from config.wsgi import application
make_server(os.environ["HOST"], int(os.environ["PORT"]), application).serve_forever()
"""


@pytest.fixture(scope="module", params=each([SHARED]))
def servers(request, installed):
    """The project under ASGI and under WSGI, on one database and one Redis."""
    project = installed(request.param)
    command = [project.folder / ".venv/bin/python", "-c", UNDER_WSGI]
    with running(project) as asgi, running(project, command=command) as wsgi:
        yield asgi, wsgi


def write(person, method, path, **fields):
    """Ask the API for a change, as a page of the site does."""
    headers = {"Referer": person.url, "X-CSRFToken": person.browser.cookies["csrftoken"]}
    return person.browser.request(method, path, json=fields, headers=headers)


def titles(servers):
    """Return what all views of all servers list."""
    answers = [httpx.get(f"{server.url}{path}").json() for server, path in product(servers, PATHS)]
    one, *others = [answer["results"] for answer in answers]
    return [row["title"] for row in one if all(row in other for other in others)]


def test_a_change_shows_at_once_whoever_made_it(servers, staff):
    before = titles(servers)
    for number, (person, path) in enumerate(product(staff, PATHS)):
        made = write(person, "POST", path, slug=f"p{number}", title=f"Problem {number}")
        assert made.status_code == 201, made.text
        assert titles(servers) == [*before, f"Problem {number}"]
        assert write(person, "PATCH", f"{path}p{number}/", title="Changed").status_code == 200
        assert titles(servers) == [*before, "Changed"]
        for server, other in product(servers, PATHS):
            assert httpx.get(f"{server.url}{other}p{number}/").json() == made.json() | {"title": "Changed"}
        assert write(person, "DELETE", f"{path}p{number}/").status_code == 204
        assert titles(servers) == before
        assert httpx.get(f"{person.url}{path}p{number}/").status_code == 404


@pytest.fixture
def staff(servers):
    """The admin, at each server."""
    asgi, wsgi = servers
    admin = Person(asgi.url, "admin", "session")
    at_wsgi = Person(wsgi.url, "admin", "session")
    yield admin, at_wsgi
    for person in (admin, at_wsgi):
        person.close()


@pytest.mark.parametrize("path", [*PATHS, "/", "/nowhere/", "/accounts/login/"])
def test_the_same_headers_under_both(servers, path):
    under_asgi, under_wsgi = (security(httpx.get(server.url + path)) for server in servers)
    assert under_asgi == under_wsgi
    assert under_asgi["permissions-policy"][0].startswith("accelerometer=()")
    assert under_asgi.keys() >= {"cross-origin-resource-policy", "x-permitted-cross-domain-policies"}


def security(answer):
    names = ("cross-origin", "permissions", "content-security", "referrer", "x-")
    found = {name: value for name, value in answer.headers.items() if name.startswith(names)}
    assert found.pop("x-request-id")  # each has its own
    return {name: sorted(value.split("; ")) for name, value in found.items()}


def test_strangers_read_and_do_not_write(servers):
    for server, path in product(servers, PATHS):
        assert httpx.post(server.url + path, json={"slug": "x", "title": "X"}).status_code in (401, 403)
    for server in servers:
        assert httpx.get(f"{server.url}/api/submissions/").status_code in (401, 403)
