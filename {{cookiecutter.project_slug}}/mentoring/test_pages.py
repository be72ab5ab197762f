import pytest
from django.test import AsyncClient

from mentoring.models import Event
from mentoring.notify import notify_mentor, notify_student


@pytest.mark.parametrize(
    ("viewer", "path", "status"),
    [
        ("mentor", "/mentoring/", 200),
        ("admin", "/mentoring/", 200),
        ("student", "/mentoring/", 302),
        ("mentor", "/mentoring/mentors/{mentor}/", 200),
        ("admin", "/mentoring/mentors/{mentor}/", 200),
        ("student", "/mentoring/mentors/{mentor}/", 403),
        ("stranger", "/mentoring/mentors/{mentor}/", 403),
        ("admin", "/mentoring/mentors/{student}/", 404),
        ("student", "/mentoring/students/{student}/", 200),
        ("mentor", "/mentoring/students/{student}/", 200),
        ("admin", "/mentoring/students/{student}/", 200),
        ("stranger", "/mentoring/students/{student}/", 403),
        ("student", "/mentoring/students/{mentor}/", 403),
        ("student", f"/mentoring/students/{10**30}/", 403),
        ("admin", f"/mentoring/students/{10**30}/", 404),
        (None, "/mentoring/students/{student}/", 302),
    ],
)
def test_who_may_see_what(client, people, mentorship, viewer, path, status):
    if viewer:
        client.force_login(people[viewer])
    path = path.format(**{name: person.pk for name, person in people.items()})
    assert client.get(path).status_code == status
    if "students" in path and status in (403, 404):
        assert client.post(f"{path}write/", {"message": "Hello"}).status_code == status
        assert not Event.objects.exists()


async def test_a_student_asks_and_a_mentor_answers(connect, student, mentor, mentorship):
    at_student = await connect(f"/ws/student/{student.pk}/", student)
    at_mentor = await connect(f"/ws/mentor/{mentor.pk}/", mentor)
    for user, text in ((student, " Is it\0 right? "), (mentor, "It is."), (mentor, " \0 ")):
        client = AsyncClient()
        await client.aforce_login(user)
        answer = await client.post(f"/mentoring/students/{student.pk}/write/", {"message": text})
        assert answer.status_code == 302
    question = await at_mentor.receive("mentor_event")
    assert question["kind"] == "question"
    assert question["data"] == {"from": "student", "message": "Is it right?"}
    frames = [await at_student.receive("student_event") for _ in range(2)]
    assert [(frame["kind"], frame["data"]["message"]) for frame in frames] == [
        ("question", "Is it right?"),
        ("feedback", "It is."),
    ]
    assert await Event.objects.acount() == 3


def test_pages_show_what_was_told_with_any_keys(client, student, mentor, mentorship):
    notify_student(student.pk, "grade_received", {"items": "<b>two</b>", "grade": {"score": 9}})
    notify_mentor(mentor.pk, "question", {"": None})
    shown = {
        student: ["<dt>items</dt><dd>&lt;b&gt;two&lt;/b&gt;</dd>", "<dd>{&quot;score&quot;: 9}</dd>"],
        mentor: ["grade_received", "<dt></dt><dd>null</dd>", f'href="/mentoring/students/{student.pk}/"'],
    }
    for user, texts in shown.items():
        client.force_login(user)
        page = client.get("/mentoring/", follow=True).content.decode()
        assert [text for text in texts if text not in page] == []
