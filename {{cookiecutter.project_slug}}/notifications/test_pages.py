import pytest
from django.test import AsyncClient

from notifications.notify import notify_user


async def test_a_view_notifies(connect, student):
    socket = await connect("/ws/notifications/", student)
    client = AsyncClient()
    await client.aforce_login(student)
    await client.post("/notifications/test/")
    assert (await socket.receive("notification"))["kind"] == "test"
    await client.post("/notifications/test/", {"message": "Hel\0lo"})
    assert (await socket.receive("notification"))["data"] == {"message": "Hello"}


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"items": "two pens", "keys": 1}, ["<dt>items</dt><dd>two pens</dd>", "<dt>keys</dt><dd>1</dd>"]),
        ({"values": {"items": [1, None]}}, ["<dt>values</dt><dd>{&quot;items&quot;: [1, null]}</dd>"]),
        ({"b": "<b>", "": ""}, ["<dt>b</dt><dd>&lt;b&gt;</dd>", "<dt></dt><dd></dd>"]),
        (["from", "the admin"], ["<dd>[&quot;from&quot;, &quot;the admin&quot;]</dd>"]),
    ],
)
def test_the_page_shows_data_with_any_keys(client, student, data, shown):
    notify_user(student.pk, "news", data)
    client.force_login(student)
    page = client.get("/notifications/").content.decode()
    assert [text for text in shown if text not in page] == []
