import re
import threading
from html import unescape

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from django.conf import settings
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpResponse
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.test import Client
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_protect

from accounts.models import User
from config import asgi, dotenv  # noqa: F401  (asgi sets the middleware up)
from config.headers import HEADERS, security_headers
from config.middleware import hooks_in_threads
from realtime.checks import routes_that_nobody_reaches
from realtime.consumer import OtherPaths
from realtime.reachable import reachable, unreachable


class Curious(SessionMiddleware):
    def process_request(self, request):
        super().process_request(request)
        request.users = User.objects.count()


@csrf_protect
async def protected(request):
    return HttpResponse("ok")


urlpatterns = [path("protected/", protected)]


@pytest.mark.parametrize("path", ["/", "/nowhere/", "/api/asyncapi.json"])
async def test_headers_for_browsers_are_the_same_under_asgi_and_wsgi(async_client, client, path):
    under_asgi, under_wsgi = await async_client.get(path), await sync_to_async(client.get)(path)
    for response in (under_asgi, under_wsgi):
        assert HEADERS.items() <= dict(response.headers).items()
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"


def test_a_view_may_set_another(rf):
    answer = HttpResponse(headers={"Cross-Origin-Resource-Policy": "cross-origin"})
    response = security_headers(lambda request: answer)(rf.get("/"))
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "geolocation=()" in response.headers["permissions-policy"]


def test_admin_is_named(admin_client):
    assert settings.PROJECT_NAME in unescape(admin_client.get("/admin/").text)


def test_errors_below_api_are_json(client):
    client.raise_request_exception = False
    answer = client.get("/api/nowhere/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "json" not in client.get("/nowhere.html").headers["Content-Type"]


def test_a_request_that_may_be_forged_is_told_so(student):
    client = Client(enforce_csrf_checks=True)
    client.force_login(student)
    answer = client.post("/api/ws-ticket/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/json")
    assert "CSRF" in answer.text
    page = client.post("/admin/logout/")
    assert (page.status_code, "CSRF" in page.text) == (403, True)
    assert "html" in page.headers["Content-Type"]


def test_browsers_find_the_icon(client):
    assert client.get("/favicon.ico").url == f"{settings.STATIC_URL}favicon.svg"


OTHER_SETTINGS = [
    (SessionMiddleware, "SESSION_ENGINE", "django.contrib.sessions.backends.file"),
    (CsrfViewMiddleware, "CSRF_USE_SESSIONS", True),
    (MessageMiddleware, "MESSAGE_STORAGE", "django.contrib.messages.storage.session.SessionStorage"),
]


@pytest.fixture
async def threads(async_client, monkeypatch):
    """Return a function that tells in which threads a request runs a hook of a middleware."""

    async def threads(middleware):
        seen, process_request = [], middleware.process_request

        def watched(self, request):
            seen.append(threading.current_thread())
            return process_request(self, request)

        monkeypatch.setattr(middleware, "process_request", watched)
        assert (await async_client.get("/favicon.ico")).status_code == 302
        return seen

    return threads


@pytest.mark.parametrize("middleware", [CommonMiddleware, *(row[0] for row in OTHER_SETTINGS)])
async def test_middleware_runs_on_the_event_loop(threads, middleware):
    assert await threads(middleware) == [threading.current_thread()]
    assert not hooks_in_threads(None)


@pytest.mark.parametrize(("middleware", "setting", "value"), OTHER_SETTINGS)
async def test_it_runs_in_threads_where_it_may_do_io(threads, settings, middleware, setting, value):
    setattr(settings, setting, value)
    assert threading.current_thread() not in await threads(middleware)
    (warning,) = hooks_in_threads(None)
    assert f"{middleware.__name__} run in threads, since {setting} has another value" in warning.msg


async def test_pages_with_the_csrf_token_in_the_session(async_client, admin, settings):
    settings.CSRF_USE_SESSIONS = True
    await async_client.aforce_login(admin)
    for page in ("/admin/", "/admin/password_change/"):
        assert (await async_client.get(page)).status_code == 200


async def test_a_subclass_that_queries_the_database(async_client, admin, settings):
    own, parent = f"{__name__}.Curious", "django.contrib.sessions.middleware.SessionMiddleware"
    settings.MIDDLEWARE = [own if path == parent else path for path in settings.MIDDLEWARE]
    response = await async_client.get("/admin/login/")
    assert (response.status_code, response.asgi_request.users) == (200, 1)
    (warning,) = hooks_in_threads(None)
    assert f"{own} run in threads, since it is a subclass" in warning.msg


async def test_csrf_protect_on_an_async_view(async_client, settings):
    settings.ROOT_URLCONF = __name__
    assert (await async_client.get("/protected/")).status_code == 200


# The routes of sockets, and what of them is never reached.
ROUTES = [
    (["ws/polls/", "ws/polls/"], ["ws/polls/"]),
    (["ws/<slug:name>/", "ws/lobby/"], ["ws/lobby/"]),
    (["ws/lobby/", "ws/<slug:name>/"], []),
    (["ws/polls/one/", "ws/polls/<slug:name>/", "ws/polls/<slug:name>/live/"], []),
    (["ws/<path:rest>", "ws/polls/", "ws/<int:pk>/"], ["ws/polls/", "ws/<int:pk>/"]),
    (["ws/<int:pk>/", "ws/<uuid:key>/", "ws/<slug:name>/", "ws/<str:name>/", "ws/<path:rest>"], []),
    (["ws/<str:name>/", "ws/<slug:name>/"], ["ws/<slug:name>/"]),
    (["ws/<int:pk>/", "ws/<int:key>/"], ["ws/<int:key>/"]),
    (["ws/1/", "ws/<int:pk>/"], []),
    (["ws/<int:pk>/<slug:name>/", "ws/<slug:name>/<int:pk>/"], []),
    (["ws/<slug:one>/<slug:other>/", "ws/<slug:name>/<int:pk>/"], ["ws/<slug:name>/<int:pk>/"]),
    (["ws/<path:rest>/end/", "ws/<path:rest>"], []),
    ([r"", "ws/polls/"], ["ws/polls/"]),
    ([r"^ws/", r"^ws/.+$"], []),
    ([r"^ws/polls/$", "ws/polls/"], ["ws/polls/"]),
    (["ws/polls/", r"^ws/polls/"], []),
    (["ws/polls/", r"ws/polls/(?P<name>\w+)/$"], []),
    (["ws/<path:rest>", r"ws/polls/(?P<name>\w+)/$"], [r"ws/polls/(?P<name>\w+)/$"]),
    ([r"^ws/[a-f]+/$", r"^ws/[a-z]+/$", r"^ws/(?P<year>[0-9]{4})/$", "ws/<int:pk>/"], []),
    ([r"^ws/[a-z]+/$", r"^ws/[a-z]+/$"], [r"^ws/[a-z]+/$"]),
    ([["ws/", "<slug:name>/"], ["ws/polls/", "<int:pk>/"], "ws/lobby/"], ["ws/lobby/"]),
    (["ws/polls/<int:pk>/", ["ws/polls/", "<slug:name>/", "<int:pk>/"]], ["ws/polls/<int:pk>/"]),
    ([["ws/<int:pk>/", r"^live/$"], ["ws/<slug:name>/", "live/"], "ws/1/live/"], ["ws/1/live/"]),
    (["ws/<str:a>/<str:b>/<str:c>/<str:d>/<str:e>/<str:f>/<str:g>/<str:h>/", "ws/<str:name>/"], []),
]


def to_route(text):
    """Make a route of a text, or of a prefix and what stands in the URLRouter behind it."""
    application = OtherPaths.as_asgi()
    if isinstance(text, list):
        text, *nested = text
        application = URLRouter([to_route(inner) for inner in nested])
    kind = re_path if re.search(r"[\^(]|^$", text) else path
    return kind(text, application)


@pytest.mark.parametrize(("routes", "expected"), ROUTES)
def test_routes_that_nobody_reaches_are_found(routes, expected):
    problems = unreachable(list(map(to_route, routes)))
    assert len(problems) == len(expected)
    for problem, text in zip(problems, expected, strict=True):
        assert f"Nobody reaches the WebSocket route {text!r} of OtherPaths" in problem


def test_with_such_a_route_no_server_starts(monkeypatch, caplog):
    routes = list(map(to_route, ["ws/polls/", "ws/polls/"]))
    with pytest.raises(SystemExit):
        reachable(routes)
    (line,) = caplog.messages
    assert "Nobody reaches" in line
    assert "INSTALLED_APPS" in line
    assert routes_that_nobody_reaches(None) == []
    monkeypatch.setattr("config.routing.websocket_urlpatterns", routes)
    (error,) = routes_that_nobody_reaches(None)
    assert error.id == "realtime.E006"


@pytest.fixture
def env_file(tmp_path, monkeypatch):
    path = tmp_path / ".env"
    monkeypatch.setattr(dotenv, "FILE", path)
    return path


def test_env_file_is_written_once_and_for_its_owner_alone(env_file):
    assert dotenv.complete({}).startswith("Wrote DEBUG, SECRET_KEY")
    assert env_file.stat().st_mode & 0o777 == 0o600
    written = env_file.read_text()
    assert dotenv.complete({}) == ""
    assert env_file.read_text() == written

    env_file.unlink()
    dotenv.complete({})
    debug, secret_key, *_ = written.splitlines()
    assert env_file.read_text().startswith(f"{debug}\nSECRET_KEY=")
    assert secret_key not in env_file.read_text()


def test_env_file_gets_what_it_lacks(env_file):
    env_file.write_text("# Mine\nPORT=9000 # not 8000")
    assert dotenv.complete({}).startswith("Wrote DEBUG, SECRET_KEY")
    first, second, third, *_ = env_file.read_text().splitlines()
    assert [first, second, third] == ["# Mine", "PORT=9000 # not 8000", "DEBUG=true"]


@pytest.mark.parametrize("text", ["SECRET_KEY=of-production", "DEBUG=false", "export DEBUG = 'off' # now"])
def test_env_file_of_production_is_left_alone(env_file, text):
    env_file.write_text(text)
    assert dotenv.complete({}).endswith("it is not for development, since DEBUG is off there.")
    assert env_file.read_text() == text


def test_env_file_is_not_needed_where_the_environment_has_the_settings(env_file):
    assert dotenv.complete({"SECRET_KEY": "as CI has it"}) == ""
    assert not env_file.exists()
