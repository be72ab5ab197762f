import threading

import pytest
from channels.routing import get_default_application
from channels.testing import HttpCommunicator
from django.middleware.common import CommonMiddleware


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


async def test_middleware_runs_on_the_event_loop(monkeypatch):
    threads = []

    def process_request(self, request):
        threads.append(threading.current_thread())

    monkeypatch.setattr(CommonMiddleware, "process_request", process_request)
    response = await HttpCommunicator(
        get_default_application(), "GET", "/api/asyncapi.json", headers=[(b"host", b"testserver")]
    ).get_response()
    assert response["status"] == 200
    assert threads == [threading.current_thread()]
