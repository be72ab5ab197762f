import threading

import pytest
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpResponse
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import path
from django.views.decorators.csrf import csrf_protect

from accounts.models import User
from config import asgi  # noqa: F401  (it sets the middleware up)
from config.middleware import hooks_in_threads


class Curious(SessionMiddleware):
    def process_request(self, request):
        super().process_request(request)
        request.users = User.objects.count()


@csrf_protect
async def protected(request):
    return HttpResponse("ok")


urlpatterns = [path("protected/", protected)]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/accounts/password_change/",
        "/admin/",
#% if cookiecutter.rest_api == "drf"
        "/api/schema/",
        "/api/docs/",
#% endif
    ],
)
def test_pages(admin_client, path):
    assert admin_client.get(path).status_code == 200


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
        assert (await async_client.get("/api/asyncapi.json")).status_code == 200
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
    for page in ("/", "/accounts/password_change/"):
        assert (await async_client.get(page)).status_code == 200


async def test_a_subclass_that_queries_the_database(async_client, admin, settings):
    own, parent = f"{__name__}.Curious", "django.contrib.sessions.middleware.SessionMiddleware"
    settings.MIDDLEWARE = [own if path == parent else path for path in settings.MIDDLEWARE]
    response = await async_client.get("/accounts/login/")
    assert (response.status_code, response.asgi_request.users) == (200, 1)
    (warning,) = hooks_in_threads(None)
    assert f"{own} run in threads, since it is a subclass" in warning.msg


async def test_csrf_protect_on_an_async_view(async_client, settings):
    settings.ROOT_URLCONF = __name__
    assert (await async_client.get("/protected/")).status_code == 200
