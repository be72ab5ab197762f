import threading

import pytest
from django.middleware.common import CommonMiddleware

from config import asgi  # noqa: F401  (it sets the middleware up)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/accounts/login/",
        "/admin/",
#% if cookiecutter.rest_api == "drf"
        "/api/schema/",
        "/api/docs/",
#% endif
    ],
)
def test_pages(admin_client, path):
    assert admin_client.get(path).status_code == 200


async def test_middleware_runs_on_the_event_loop(async_client, monkeypatch):
    threads = []

    def process_request(self, request):
        threads.append(threading.current_thread())

    monkeypatch.setattr(CommonMiddleware, "process_request", process_request)
    assert (await async_client.get("/api/asyncapi.json")).status_code == 200
    assert threads == [threading.current_thread()]
