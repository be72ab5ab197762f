from accounts.mentors import make_mentor
from dashboard.models import Event

PATH = "/api/dashboard/test/"


def test_who_supervises_may_send_an_event(client, mentor, student):
    make_mentor(mentor)
    assert client.post(PATH, {}, "application/json").status_code == 401
    client.force_login(student)
    refused = client.post(PATH, {"message": "Hello"}, "application/json")
    assert (refused.status_code, refused.json()) == (
        403,
        {"code": "not_allowed", "detail": "This is for admins and mentors"},
    )
    client.force_login(mentor)
    for message in ("Hello", ""):
        assert client.post(PATH, {"message": message}, "application/json").json() == {}
    first, second = Event.objects.all()
    assert first.data == {"message": "Hello", "from": "mentor"}
    assert "It works" in second.data["message"]
    assert client.get(PATH).status_code == 405
