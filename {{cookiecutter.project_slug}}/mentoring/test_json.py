import pytest
from django.test import AsyncClient

from mentoring.models import Event
from mentoring.notify import notify_mentor, notify_student


@pytest.mark.parametrize(
    ("viewer", "path", "status"),
    [
        ("mentor", "/api/mentoring/mentors/{mentor}/", 200),
        ("admin", "/api/mentoring/mentors/{mentor}/", 200),
        ("student", "/api/mentoring/mentors/{mentor}/", 403),
        ("stranger", "/api/mentoring/mentors/{mentor}/", 403),
        ("admin", "/api/mentoring/mentors/{student}/", 404),
        ("student", "/api/mentoring/students/{student}/", 200),
        ("mentor", "/api/mentoring/students/{student}/", 200),
        ("admin", "/api/mentoring/students/{student}/", 200),
        ("stranger", "/api/mentoring/students/{student}/", 403),
        ("student", "/api/mentoring/students/{mentor}/", 403),
        ("student", f"/api/mentoring/students/{10**30}/", 403),
        ("admin", f"/api/mentoring/students/{10**30}/", 404),
        (None, "/api/mentoring/students/{student}/", 401),
        (None, "/api/mentoring/", 401),
    ],
)
def test_who_may_see_what(client, people, mentorship, viewer, path, status):
    if viewer:
        client.force_login(people[viewer])
    path = path.format(**{name: person.pk for name, person in people.items()})
    assert client.get(path).status_code == status
    if "students" in path and status >= 400:
        assert client.post(f"{path}write/", {"message": "Hello"}, "application/json").status_code == status
        assert not Event.objects.exists()


def test_what_a_user_is_here(client, people, mentorship):
    is_mentor, mentors = {}, {}
    for name, person in people.items():
        client.force_login(person)
        answer = client.get("/api/mentoring/").json()
        is_mentor[name] = answer["is_mentor"]
        mentors[name] = [(each["mentor"]["username"], each["students"]) for each in answer["mentors"]]
        assert answer["is_admin"] == answer["may_mentor"] == (name == "admin")
    assert is_mentor == {"student": False, "mentor": True, "stranger": True, "admin": False}
    assert mentors == {"student": [], "mentor": [], "stranger": [], "admin": [("mentor", 1), ("stranger", 0)]}


def test_pages_begin_with_what_was_told(client, student, mentor, mentorship):
    for number in range(60):
        event = notify_student(student.pk, "grade_received", {"number": number})
    question = notify_mentor(mentor.pk, "question", {"": None})
    client.force_login(mentor)
    page = client.get(f"/api/mentoring/students/{student.pk}/").json()
    assert [each["data"]["number"] for each in page["events"]] == list(range(59, 9, -1))
    assert page["since"] == page["events"][0]["event_id"] == event.pk
    assert page["mentors"] == [{"id": mentor.pk, "username": "mentor"}]
    page = client.get(f"/api/mentoring/mentors/{mentor.pk}/").json()
    assert [each["student"]["username"] for each in page["students"]] == ["student"]
    assert page["students"][0]["newest"]["event_id"] == event.pk
    assert [each["data"] for each in page["events"]] == [{"": None}]
    assert page["since"] == question.pk


async def test_a_student_asks_and_a_mentor_answers(connect, student, mentor, mentorship):
    at_student = await connect(f"/ws/student/{student.pk}/", student)
    at_mentor = await connect(f"/ws/mentor/{mentor.pk}/", mentor)
    for user, text in ((student, " Is it right? "), (mentor, "It is."), (mentor, "  ")):
        client = AsyncClient()
        await client.aforce_login(user)
        path = f"/api/mentoring/students/{student.pk}/write/"
        assert (await client.post(path, {"message": text}, "application/json")).json() == {}
        assert (await client.post(path, {}, "application/json")).status_code == 400
    question = await at_mentor.receive("mentor_event")
    assert question["data"] == {"from": "student", "message": "Is it right?"}
    frames = [await at_student.receive("student_event") for _ in range(2)]
    assert [(frame["kind"], frame["data"]["message"]) for frame in frames] == [
        ("question", "Is it right?"),
        ("feedback", "It is."),
    ]
    assert await Event.objects.acount() == 3
