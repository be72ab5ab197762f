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
