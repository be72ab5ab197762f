import pytest
from django.test import Client

from notifications.notify import notify_user


def test_the_newest_come_first_as_frames(client, student, mentor):
    for number in range(60):
        notify_user(student.pk, "news", {"number": number})
    notify_user(mentor.pk, "other")
    assert client.get("/api/notifications/").status_code == 401
    client.force_login(student)
    listed = client.get("/api/notifications/").json()
    assert [each["data"]["number"] for each in listed] == list(range(59, 9, -1))
    assert (listed[0]["type"], listed[0]["read"]) == ("notification", False)


def test_one_may_be_sent_to_oneself(client, student):
    client.force_login(student)
    assert client.post("/api/notifications/test/", {"message": "Hello"}, "application/json").json() == {}
    assert student.notifications.get().data == {"message": "Hello"}
    refused = client.post("/api/notifications/test/", {"message": 1}, "application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    assert client.get("/api/notifications/test/").status_code == 405


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"message": NaN}', b'{"message": "\\ud800"}', b'{"message": "\xff"}', b"[" * 50_000]
    + [b'{"message": "%s\\u0000"}' % before for before in (b"", b"\\\\", b"x\\n")],
)
def test_a_body_that_is_wrong(client, student, body):
    client.force_login(student)
    refused = client.post("/api/notifications/test/", body, "application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    assert not student.notifications.exists()


def test_what_looks_like_nul_is_none(client, student):
    client.force_login(student)
    sent = client.post("/api/notifications/test/", b'{"message": "\\\\u0000"}', "application/json")
    assert sent.status_code == 200
    assert student.notifications.get().data == {"message": r"\u0000"}


def test_a_form_is_no_json(student):
    client = Client(enforce_csrf_checks=True)
    client.force_login(student)
    client.cookies["csrftoken"] = "a" * 32
    headers = {"X-CSRFToken": "a" * 32}
    for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "text/plain"):
        refused = client.post("/api/notifications/test/", b"--x\r\n\r\n--x--", kind, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid"), kind


def test_methods(client, student):
    client.force_login(student)
    assert client.head("/api/notifications/").status_code == 200
    for method in ("options", "put", "delete"):
        refused = getattr(client, method)("/api/notifications/")
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert client.head("/api/notifications/test/").headers["Allow"] == "POST"
