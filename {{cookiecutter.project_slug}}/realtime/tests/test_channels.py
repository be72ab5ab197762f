"""What a Channels developer knows holds here, beside the core and in the same project."""

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import AsyncClient

from config.asgi import application
from config.routing import websocket_urlpatterns
from realtime.codes import NOT_FOUND
from realtime.credentials import authenticator
from realtime.publish import apublish
from realtime.reachable import unreachable
from realtime.tests.test_auth import PATH, log_in


async def test_a_sync_consumer(connect, student):
    guest, socket = await connect("/ws/plain/"), await connect("/ws/plain/", student)
    assert await guest.receive() == "Hello guest"
    assert await socket.receive() == "Hello student"
    for key, message in (("text", "no JSON"), ("bytes", b"\x00\xff")):
        await socket.send_input({"type": "websocket.receive", key: message})
        assert await socket.receive() == message


@pytest.mark.parametrize(
    ("path", "parameters"),
    [("/ws/nested/a/7/", {"outer": "a", "inner": 7}), ("/ws/plain/8/", {"number": "8"})],
)
async def test_an_async_one_in_a_nested_router_and_inside_of_middleware(connect, student, path, parameters):
    socket = await connect(path, student)
    await socket.send("who", id=1)
    answer = {"type": "who", "id": 1, "user": "student", "seen": None, "path": parameters}
    assert await socket.receive("who") == answer


async def test_groups_of_plain_consumers(connect):
    sockets = [await connect("/ws/nested/a/1/"), await connect("/ws/plain/2/")]
    for socket in sockets:  # who has answered is in the group
        await socket.send("who")
        await socket.receive("who")
    await get_channel_layer().group_send("plain", {"type": "plain.event", "text": "Hi"})
    await apublish("plain", {"type": "said", "text": "Hi"})
    for socket in sockets:
        assert await socket.receive() == {"type": "plain.event", "text": "Hi"}
        assert await socket.receive() == {"type": "said", "text": "Hi"}


async def test_a_consumer_at_two_routes(connect, student):
    sockets = [await connect(PATH, student), await connect("/ws/nested/a/sample/", student)]
    await apublish("sample", {"type": "said", "text": "Hi"})
    for socket in sockets:
        assert (await socket.receive("said"))["text"] == "Hi"
    assert (await connect("/ws/nested/a/nowhere/", student)).code == NOT_FOUND


def test_the_document_has_all_routes(admin_client):
    document = admin_client.get("/api/asyncapi.json").json()
    channels = {
        name: (channel["address"], list(channel["parameters"]), bool(channel["messages"]))
        for name, channel in document["channels"].items()
    }
    assert {
        "SampleConsumer": ("/ws/sample/", [], True),
        "SampleConsumer2": ("/ws/nested/{outer}/sample/", ["outer"], True),
        "PlainConsumer": ("/ws/plain/", [], False),
        "PlainJsonConsumer": ("/ws/nested/{outer}/{inner}/", ["outer", "inner"], False),
        "PlainJsonConsumer2": ("/ws/plain/{number}/", ["number"], False),
    }.items() <= channels.items()
    assert unreachable(websocket_urlpatterns) == []


async def test_the_session_is_in_the_scope_and_stays_as_it_is(connect, student):
    client = AsyncClient()
    query = (await log_in(student, client)).partition("?")[2]
    session = await client.asession()
    await session.aset("seen", 3)
    await session.asave()
    before = await Session.objects.values().aget()
    socket = await connect(f"/ws/plain/1/?{query}")
    await socket.send("who")
    answer = await socket.receive("who")
    assert (answer["user"], answer["seen"]) == ("student", 3)
    assert await Session.objects.values().aget() == before


async def test_channels_own_communicator(transactional_db, student):
    *_, kind = settings.REALTIME["AUTHENTICATION"]
    headers = {"Host": "testserver", "Origin": "http://testserver"}
    headers |= await sync_to_async(authenticator(kind).log_in)(student)
    headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    communicator = WebsocketCommunicator(application, PATH, headers)
    assert await communicator.connect(timeout=5) == (True, None)
    assert (await communicator.receive_json_from(timeout=5))["type"] == "connection_established"
    await communicator.send_json_to({"type": "ping"})
    assert await communicator.receive_json_from(timeout=5) == {"type": "pong"}
    await communicator.disconnect(timeout=5)
