"""What the core offers beside sockets: its document, its checks."""

import pytest
from django.core.checks import run_checks

from config.routing import websocket_urlpatterns
from realtime import asyncapi
from realtime.routes import flatten


def test_the_asyncapi_document_has_every_consumer(client):
    document = client.get("/api/asyncapi.json").json()
    addresses = [channel["address"] for channel in document["channels"].values()]
    assert addresses == [route.address for route in flatten(websocket_urlpatterns[:-1])]
    sample = document["channels"]["SampleConsumer"]
    assert sample["address"] == "/ws/sample/"
    assert "realtime.Say" in sample["messages"]
    assert document["components"]["schemas"]["Say"]["properties"]["text"] == {"type": "string"}


def test_whatever_host_a_client_names_the_document_is_kept_once(client):
    for port in (1, 2):
        answer = client.get("/api/asyncapi.json", headers={"host": f"testserver:{port}"}).json()
        assert answer["servers"] == {"this": {"host": f"testserver:{port}", "protocol": "ws"}}
    assert asyncapi.document.cache_info().currsize == 1


def problems():
    found = run_checks(tags=["security"], include_deployment_checks=True)
    return [message.id for message in found if message.id.startswith("realtime.")]


def test_the_settings_pass_the_checks():
    assert problems() == []


@pytest.mark.parametrize(
    ("problem", "wrong"),
    [
        ("realtime.E002", {"ALLOWED_HOSTS": ["*"]}),
        ("realtime.W003", {"DATABASES": {"default": {"CONN_MAX_AGE": 60}}}),
        ("realtime.W005", {"REALTIME": {"MAX_MESSAGE_BYTES": 10_000_000}}),
    ],
)
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_a_check_names_what_hurts_in_production(problem, wrong, settings):
    for name, value in wrong.items():
        setattr(settings, name, value)
    assert problems() == [problem]
