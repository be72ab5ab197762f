"""What the core offers beside sockets: its document, its checks."""

import json
import re
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.shortcuts import resolve_url

from config.routing import websocket_urlpatterns
from realtime import asyncapi, asyncapi_page, codes
from realtime.routes import flatten

USER = "{id: integer or null, username: string}"


def test_the_asyncapi_document_has_every_consumer(admin_client):
    document = admin_client.get("/api/asyncapi.json").json()
    addresses = [channel["address"] for channel in document["channels"].values()]
    assert addresses == [route.address for route in flatten(websocket_urlpatterns[:-1])]
    sample = document["channels"]["SampleConsumer"]
    assert sample["address"] == "/ws/sample/"
    assert "realtime.Say" in sample["messages"]
    assert document["components"]["schemas"]["Say"]["properties"]["text"] == {"type": "string"}


def test_it_says_what_answers_a_frame(admin_client):
    document = admin_client.get("/api/asyncapi.json").json()
    for frame, name in (("say", "realtime.Said"), ("fail", "realtime.Reply")):
        reply = document["operations"][f"SampleConsumer.{frame}"]["reply"]["messages"]
        assert [message["$ref"].split("/")[-1] for message in reply] == [name, "realtime.Error"]
    parts = document["components"]["messages"]["realtime.Said"]["payload"]["allOf"]
    assert [part["$ref"].split("/")[-1] for part in parts] == ["Reply", "Said"]


def test_its_references_lead_somewhere(admin_client):
    document = admin_client.get("/api/asyncapi.json").json()

    def look(node):
        if isinstance(node, dict) and "$ref" in node:
            found = document
            for key in node["$ref"].removeprefix("#/").split("/"):
                found = found[key]
        for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            look(inner)

    look(document)


def test_the_core_raises_no_error_and_no_code_that_it_does_not_explain():
    sources = "".join(path.read_text() for path in Path(codes.__file__).parent.glob("*.py"))
    raised = set(re.findall(r'(?:FrameError\(|code=|code = |code, detail = )"(\w+)"', sources))
    assert raised <= codes.ERRORS.keys()
    named = {value for name, value in vars(codes).items() if isinstance(value, int) and name != "SHIFT"}
    assert named == codes.CLOSE_CODES.keys()


def test_the_page_shows_what_the_document_says(admin_client):
    page = admin_client.get("/api/asyncapi/")
    assert page.status_code == 200
    for text in ("/ws/sample/", "<code>length</code> integer", "rate_limited", "4401", "token_expiring"):
        assert text in page.text
    (sample,) = [each for each in page.context["page"].channels if each["name"] == "SampleConsumer"]
    (say,) = [frame for frame in sample["takes"] if frame["type"] == "say"]
    assert json.loads(say["example"]) == {"type": "say", "text": "Hello", "id": 1}
    assert (say["fields"], say["reply"]) == ([("text", "string", True)], [("length", "integer", True)])


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 4000}, "string, 1 to 4,000 characters"),
        ({"type": "integer", "minimum": 0}, "integer, 0 or more"),
        ({"type": "string", "format": "date-time"}, "date-time"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, 'list of "a" or "b"'),
        ({"anyOf": [{"$ref": "#/components/schemas/UserInfo"}, {"type": "null"}]}, USER + " or null"),
        ({}, "anything"),
    ],
)
def test_types_are_put_into_words(schema, words):
    assert asyncapi_page.Page(asyncapi.document("")).words(schema) == words


def test_only_staff_see_how_the_api_works(client, student, settings):
    page, data = "/api/asyncapi/", "/api/asyncapi.json"
    assert client.get(page).url == f"{resolve_url(settings.LOGIN_URL)}?next={page}"
    assert client.get(data).status_code == 403
    client.force_login(student)
    for path in (page, data):
        assert client.get(path).status_code == 403
    settings.DEBUG = True
    assert (client.get(page).status_code, client.get(data).status_code) == (200, 200)


def test_whatever_host_a_client_names_the_document_is_kept_once(admin_client):
    asyncapi.document.cache_clear()
    for port in (1, 2):
        answer = admin_client.get("/api/asyncapi.json", headers={"host": f"testserver:{port}"}).json()
        server = answer["servers"]["this"]
        assert (server["host"], server["protocol"]) == (f"testserver:{port}", "ws")
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
        ("realtime.W005", {"REALTIME": {"MAX_MESSAGE_BYTES": 10_000_000}}),
    ],
)
def test_a_check_names_what_hurts_in_production(problem, wrong, settings):
    for name, value in wrong.items():
        setattr(settings, name, value)
    assert problems() == [problem]
