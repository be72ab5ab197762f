import asyncio

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from accounts.models import User
from mentoring.models import Event, Mentorship
from mentoring.notify import anotify_mentor, anotify_student, notify_mentor, notify_student
from realtime.codes import NOT_ALLOWED, NOT_AUTHENTICATED, NOT_FOUND
from realtime.database import in_database


def of_mentor(user):
    return f"/ws/mentor/{user.pk}/"


def of_student(user):
    return f"/ws/student/{user.pk}/"


def who(user):
    return {"id": user.pk, "username": user.username}


async def test_a_student_is_told_and_so_are_those_who_may_see_it(connect, student, mentor, admin, mentorship):
    sockets = [await connect(of_student(student), user) for user in (student, mentor, admin)]
    own = await connect(of_mentor(mentor), mentor)
    assert [socket.hello["student"] for socket in sockets] == [who(student)] * 3
    assert (await own.receive("mentor_snapshot"))["students"] == [{"student": who(student), "newest": None}]
    stored = await anotify_student(student.pk, "grade_received", {"grade": {"score": 9}})
    frames = [await socket.receive("student_event") for socket in sockets]
    assert frames[0] == frames[1] == frames[2]
    assert (frames[0]["event_id"], frames[0]["kind"]) == (stored.pk, "grade_received")
    assert frames[0]["data"] == {"grade": {"score": 9}}
    news = await own.receive("student_news")
    assert news["student"] == who(student)
    assert news["newest"].items() <= frames[0].items()
    assert own.unread == []


async def test_a_mentor_is_told_and_no_student(connect, student, mentor, admin, mentorship):
    sockets = [await connect(of_mentor(mentor), user) for user in (mentor, admin)]
    other = await connect(of_student(student), mentor)
    assert [socket.hello["mentor"] for socket in sockets] == [who(mentor)] * 2
    await anotify_mentor(mentor.pk, "question", {"from": "student"})
    for socket in sockets:
        frame = await socket.receive("mentor_event")
        assert (frame["kind"], frame["data"]) == ("question", {"from": "student"})
    assert (await other.request("ping"))["ok"]
    assert [frame["type"] for frame in other.unread] == ["pong"]


async def test_a_person_who_is_both_has_two_streams(connect, mentor):
    as_mentor, as_student = [await connect(path(mentor), mentor) for path in (of_mentor, of_student)]
    for number in range(2):
        await anotify_mentor(mentor.pk, "m", {"number": number})
        await anotify_student(mentor.pk, "s", {"number": number})
    for socket, kind in ((as_mentor, "mentor_event"), (as_student, "student_event")):
        frames = [await socket.receive(kind) for _ in range(2)]
        assert [(frame["kind"], frame["data"]["number"]) for frame in frames] == [(kind[0], 0), (kind[0], 1)]


@pytest.mark.parametrize("notify", [notify_student, notify_mentor])
async def test_nothing_is_pushed_before_the_commit(connect, mentor, notify):
    path = of_mentor if notify is notify_mentor else of_student
    socket = await connect(path(mentor), mentor)

    def tell():
        with transaction.atomic():
            notify(mentor.pk, "undone")
            transaction.set_rollback(True)
        with transaction.atomic():
            notify(mentor.pk, "done")

    await in_database(tell)()
    assert (await socket.receive("mentor_event", "student_event"))["kind"] == "done"
    assert (await Event.objects.aget()).kind == "done"


@pytest.mark.parametrize("notify", [anotify_student, anotify_mentor])
async def test_nobody_can_be_told_who_is_not_there(student, notify):
    with pytest.raises(User.DoesNotExist):
        await notify(student.pk + 1, "news")
    assert not await Event.objects.aexists()


async def test_who_comes_back_gets_each_event_once_in_order(connect, student, mentor, mentorship):
    first = await anotify_student(student.pk, "news", {"number": 0})
    for number in range(1, 30):
        await anotify_student(student.pk, "news", {"number": number})
        await anotify_mentor(mentor.pk, "news", {"number": number})
    fresh = await connect(of_student(student), student)
    late, own, *_ = await asyncio.gather(
        connect(f"{of_student(student)}?since={first.pk}", mentor),
        connect(f"{of_mentor(mentor)}?since=0", mentor),
        *(anotify_student(student.pk, "news", {"number": number}) for number in range(30, 35)),
    )
    caught_up = [(await late.receive("student_event"))["event_id"] for _ in range(34)]
    stored = Event.objects.filter(stream="student", pk__gt=first.pk).order_by("pk")
    assert caught_up == [pk async for pk in stored.values_list("pk", flat=True)]
    numbers = [(await own.receive("mentor_event"))["data"]["number"] for _ in range(29)]
    assert numbers == list(range(1, 30))
    assert (await fresh.receive())["type"] == "student_event"  # without `since` what is new, and nothing else
    assert fresh.unread == []


async def test_a_mentor_s_list_follows(connect, student, mentor, stranger, admin, mentorship):
    await anotify_student(student.pk, "first")
    await anotify_student(student.pk, "second")
    own = await connect(of_mentor(mentor), mentor)
    (entry,) = (await own.receive("mentor_snapshot"))["students"]
    assert (entry["student"], entry["newest"]["kind"]) == (who(student), "second")
    another = await Mentorship.objects.acreate(mentor=mentor, student=stranger)
    students = (await own.receive("mentor_snapshot"))["students"]
    assert [entry["student"] for entry in students] == [who(student), who(stranger)]
    assert students[1]["newest"] is None
    await another.adelete()
    assert len((await own.receive("mentor_snapshot"))["students"]) == 1
    await student.adelete()
    assert (await own.receive("mentor_snapshot"))["students"] == []


@pytest.mark.parametrize(
    ("viewer", "path", "code"),
    [
        ("mentor", "/ws/mentor/{mentor}/", None),
        ("admin", "/ws/mentor/{mentor}/", None),
        ("student", "/ws/mentor/{mentor}/", NOT_ALLOWED),
        ("stranger", "/ws/mentor/{mentor}/", NOT_ALLOWED),
        ("student", "/ws/mentor/{student}/", NOT_ALLOWED),
        ("admin", "/ws/mentor/{student}/", NOT_FOUND),
        ("student", "/ws/student/{student}/", None),
        ("mentor", "/ws/student/{student}/", None),
        ("admin", "/ws/student/{student}/", None),
        ("stranger", "/ws/student/{student}/", NOT_ALLOWED),
        ("student", "/ws/student/{mentor}/", NOT_ALLOWED),
        ("mentor", "/ws/student/{stranger}/", NOT_ALLOWED),
        *(
            (viewer, path, code)
            for viewer, code in (("student", NOT_ALLOWED), ("admin", NOT_FOUND))
            for path in (
                "/ws/mentor/0/",
                "/ws/student/0/",
                "/ws/student/999999/",
                f"/ws/student/{10**30}/",
                f"/ws/mentor/{10**30}/",
            )
        ),
        ("admin", f"/ws/student/{'9' * 400}/", NOT_FOUND),
        ("admin", "/ws/student/-1/", NOT_FOUND),
        ("student", "/ws/student/me/", NOT_FOUND),
        (None, "/ws/student/{student}/", NOT_AUTHENTICATED),
    ],
)
async def test_who_may_open_what(connect, people, mentorship, viewer, path, code):
    ids = {name: person.pk for name, person in people.items()}
    socket = await connect(path.format(**ids), people.get(viewer))
    assert (socket.code or await socket.close_code() if code else None) == code
    if code is None:
        assert (await socket.request("ping"))["ok"]


async def end(mentorship, student, mentor):
    await mentorship.adelete()


async def end_by_query(mentorship, student, mentor):
    await Mentorship.objects.filter(student=student).adelete()


async def pass_on(mentorship, student, mentor):
    mentorship.student = await User.objects.acreate(username="another")
    await mentorship.asave()


async def delete_student(mentorship, student, mentor):
    await student.adelete()


async def leave_the_group(mentorship, student, mentor):
    await mentor.groups.aclear()


async def delete_mentor(mentorship, student, mentor):
    await mentor.adelete()


@pytest.mark.parametrize(
    ("change", "expected"),
    [  # the codes with which these are closed: mentor, student, admin, and the admin at the mentor's
        (end, [(NOT_ALLOWED,), None, None, None]),
        (end_by_query, [(NOT_ALLOWED,), None, None, None]),
        (pass_on, [(NOT_ALLOWED,), None, None, None]),
        (delete_student, [(NOT_ALLOWED,), (NOT_AUTHENTICATED,), (NOT_FOUND,), None]),
        (leave_the_group, [(NOT_AUTHENTICATED,), None, None, None]),
        (delete_mentor, [(NOT_AUTHENTICATED, NOT_ALLOWED), None, None, (NOT_FOUND,)]),
    ],
)
async def test_what_ends_closes_what_it_opened(connect, student, mentor, admin, mentorship, change, expected):
    path = of_student(student)
    sockets = [await connect(path, user) for user in (mentor, student, admin)]
    sockets.append(await connect(of_mentor(mentor), admin))
    await change(mentorship, student, mentor)
    for socket, codes in zip(sockets, expected, strict=True):
        if codes:
            assert await socket.close_code() in codes
        else:
            assert (await socket.request("ping"))["ok"]
    if await User.objects.filter(pk=mentor.pk).aexists():
        again = await connect(path, mentor)
        assert await again.close_code() == NOT_ALLOWED


async def test_an_end_that_is_rolled_back_closes_nothing(connect, student, mentor, mentorship):
    socket = await connect(of_student(student), mentor)

    def end_in_vain():
        with transaction.atomic():
            mentorship.delete()
            transaction.set_rollback(True)

    await in_database(end_in_vain)()
    await anotify_student(student.pk, "news")
    assert (await socket.receive("student_event"))["kind"] == "news"


def test_a_mentorship_is_there_once_and_between_two(student, mentor, mentorship):
    for other in (student, mentor):
        with pytest.raises(IntegrityError):
            Mentorship.objects.create(mentor=mentor, student=other)


def test_the_admin_makes_mentorships(client, student, mentor, admin):
    client.force_login(admin)
    for pk, status in ((student.pk, 200), (mentor.pk, 302)):  # a student is no mentor
        answer = client.post("/admin/mentoring/mentorship/add/", {"mentor": pk, "student": student.pk})
        assert answer.status_code == status
    assert client.get("/admin/mentoring/mentorship/").status_code == 200
    assert Mentorship.objects.get().mentor == mentor


def test_the_demo_has_a_mentor_of_a_student(transactional_db, settings):
    settings.DEBUG = True
    for _ in range(2):
        call_command("createdemo")
    assert str(Mentorship.objects.get()) == "mentor mentors student"
    assert Event.objects.count() == 3
