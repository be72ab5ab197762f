"""Mentoring at two processes: what is told arrives at both, and what ends closes what it opened at both."""

import json
from contextlib import AsyncExitStack, asynccontextmanager, closing
from types import SimpleNamespace

import pytest

from client import Person
from follower import NOT_ALLOWED, NOT_AUTHENTICATED, NOT_FOUND, Follower
from serving import each, running
from variants import first

VARIANT = first(server="uvicorn", channel_layer="redis", auth="session_jwt")
SHELL = """
import json
from django.contrib.auth.models import Group
from accounts.models import User
from mentoring.models import Mentorship
from mentoring.notify import notify_mentor, notify_student
mentors, _ = Group.objects.get_or_create(name="Mentors")
admin, mentor, student = [User.objects.get(username=name) for name in ("admin", "mentor", "student")]
"""
AGAIN = "mentors.user_set.add(mentor); Mentorship.objects.get_or_create(mentor=mentor, student=student)"
FRIEND = """
User.objects.filter(username="friend").delete()
friend = User.objects.create_user("friend", password="a-password-for-tests")
Mentorship.objects.create(mentor=mentor, student=friend)
"""


@pytest.fixture(scope="module", params=each([VARIANT]))
def site(request, installed):
    """A project served by two processes, and its people, who are logged in at the first."""
    project = installed(request.param)
    with running(project) as one, running(project) as other:
        people = {name: Person(one.url, name, "session") for name in ("admin", "mentor", "student")}
        site = SimpleNamespace(project=project, other=other, **people)
        site.ids = command(site, "print(json.dumps([admin.pk, mentor.pk, student.pk]))")
        yield site
        for person in people.values():
            person.close()


def command(site, code):
    """Run code as a third process, and return what it prints, as JSON."""
    output = site.project.manage("shell", "-v", "0", "-c", SHELL + code)
    return json.loads(output.splitlines()[-1]) if "print" in code else None


@asynccontextmanager
async def open_all(site, *places):
    """Open sockets, given as a person and a path, at both processes; two of each."""
    async with AsyncExitStack() as stack:
        sockets = []
        for person, path in places:
            for there in (person, person.at(site.other.url)):
                socket = await stack.enter_async_context(there.open(path))
                await socket.frame("connection_established")
                sockets.append(socket)
        yield sockets


async def test_what_is_told_arrives_at_both(site):
    _, mentor, student = site.ids
    of_student, of_mentor = f"/ws/student/{student}/", f"/ws/mentor/{mentor}/"
    people = (site.student, site.mentor, site.admin)
    async with (
        open_all(site, *((person, of_student) for person in people)) as at_student,
        open_all(site, (site.mentor, of_mentor), (site.admin, of_mentor)) as at_mentor,
    ):
        command(site, 'notify_student(student.pk, "grade_received", {"grade": {"score": 9}})')
        command(site, 'notify_mentor(mentor.pk, "question", {"message": "Why?"})')
        frames = [await socket.frame("student_event") for socket in at_student]
        assert {json.dumps(frame) for frame in frames} == {json.dumps(frames[0])}
        assert frames[0]["data"] == {"grade": {"score": 9}}
        for socket in at_mentor:
            assert (await socket.frame("student_news"))["newest"]["event_id"] == frames[0]["event_id"]
            assert (await socket.frame("mentor_event"))["data"] == {"message": "Why?"}
    command(
        site, 'notify_student(student.pk, "missed", {}); notify_student(student.pk, "missed", {"too": 1})'
    )
    late = site.student.at(site.other.url)
    async with late.open(of_student, since=frames[0]["event_id"]) as socket:
        assert [(await socket.frame("student_event"))["data"] for _ in range(2)] == [{}, {"too": 1}]
    async with site.student.open(of_mentor) as socket:
        assert await socket.closed() == NOT_ALLOWED


async def test_an_ended_mentorship_closes_the_mentor_s_sockets_there(site):
    _, mentor, student = site.ids
    path, own = f"/ws/student/{student}/", f"/ws/mentor/{mentor}/"
    try:
        async with (
            open_all(site, (site.mentor, path)) as ended,
            open_all(site, (site.student, path), (site.admin, path)) as others,
            open_all(site, (site.mentor, own)) as lists,
        ):
            for socket in lists:
                assert len((await socket.frame("mentor_snapshot"))["students"]) == 1
            command(site, "Mentorship.objects.filter(mentor=mentor).delete()")
            assert [await socket.closed(within=2) for socket in ended] == [NOT_ALLOWED] * 2
            for socket in lists:
                assert (await socket.frame("mentor_snapshot"))["students"] == []
            command(site, 'notify_student(student.pk, "news")')
            for socket in others:
                assert (await socket.frame("student_event"))["kind"] == "news"
    finally:
        command(site, AGAIN)


async def test_who_is_no_mentor_any_more_is_out(site):
    _, mentor, student = site.ids
    paths = (f"/ws/student/{student}/", f"/ws/mentor/{mentor}/")
    try:
        async with open_all(site, *((site.mentor, path) for path in paths)) as sockets:
            command(site, "mentor.groups.remove(mentors)")
            assert [await socket.closed(within=2) for socket in sockets] == [NOT_AUTHENTICATED] * 4
        for path in paths:
            async with site.mentor.open(path) as socket:
                assert await socket.closed() == NOT_ALLOWED
    finally:
        command(site, AGAIN)


async def test_who_is_deleted_is_seen_by_nobody(site):
    friend = command(site, FRIEND + "print(friend.pk)")
    path = f"/ws/student/{friend}/"
    with closing(Person(site.student.url, "friend", "session")) as person:
        everybody = ((site.mentor, path), (site.admin, path), (person, path))
        async with open_all(site, *everybody) as sockets:
            command(site, 'User.objects.get(username="friend").delete()')
            codes = [await socket.closed(within=2) for socket in sockets]
            assert codes == [code for code in (NOT_ALLOWED, NOT_FOUND, NOT_AUTHENTICATED) for _ in range(2)]
    for person, code in ((site.mentor, NOT_ALLOWED), (site.admin, NOT_FOUND)):
        async with person.open(path) as socket:
            assert await socket.closed() == code


async def test_an_end_during_an_outage_holds(site, valkey):
    """A command's event is lost with it, but whoever is connected comes back, and is asked again."""
    *_, student = site.ids
    path = f"/ws/student/{student}/"
    try:
        async with Follower(site.mentor, path) as mentor, Follower(site.student, path) as own:
            with valkey.killed():
                command(site, "Mentorship.objects.filter(mentor=mentor).delete()")
            await mentor.until(lambda: mentor.ended == NOT_ALLOWED, within=40)
            await own.until(lambda: own.connected, within=40)
            command(site, 'notify_student(student.pk, "after")')
            await own.until(lambda: [f for f in own.frames if f.get("kind") == "after"])
            assert mentor.frames[-1].get("kind") != "after"
    finally:
        command(site, AGAIN)
