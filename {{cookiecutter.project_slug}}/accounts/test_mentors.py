import pytest
from django.contrib.auth.models import Group

from accounts.mentors import MENTORS, is_mentor, may_supervise
from accounts.models import User
from realtime.codes import NOT_AUTHENTICATED
from realtime.database import in_database


@pytest.fixture
def mentors(transactional_db):
    return Group.objects.get_or_create(name=MENTORS)[0]


@pytest.fixture
def others(transactional_db):
    return Group.objects.create(name="Others")


def test_who_is_in_the_group_is_a_mentor(mentors, others, student, mentor, admin):
    mentor.groups.add(mentors)
    student.groups.add(others)
    assert [is_mentor(user) for user in (student, mentor, admin)] == [False, True, False]
    assert [may_supervise(user) for user in (student, mentor, admin)] == [False, True, True]


def rename(group):
    group.name = "Teachers"
    group.save()


def leave_all(user, group):
    user.groups.clear()


BECOME = [
    lambda user, group: user.groups.add(group),
    lambda user, group: group.user_set.add(user),
    lambda user, group: user.groups.set([group]),
]
BE_NO_MORE = [
    lambda user, group: user.groups.remove(group),
    leave_all,
    lambda user, group: group.user_set.remove(user),
    lambda user, group: group.user_set.clear(),
    lambda user, group: rename(group),
    lambda user, group: group.delete(),
]


@pytest.mark.parametrize(
    ("change", "before"), [(change, False) for change in BECOME] + [(change, True) for change in BE_NO_MORE]
)
async def test_whose_role_changes_is_disconnected(connect, mentors, student, mentor, change, before):
    if before:  # without signals, since no socket is open yet
        await User.groups.through.objects.acreate(user=mentor, group=mentors)
    sockets = [await connect("/ws/sample/", mentor) for _ in range(2)]
    other = await connect("/ws/sample/", student)
    await in_database(change)(mentor, mentors)
    for socket in sockets:
        assert await socket.close_code() == NOT_AUTHENTICATED
    assert (await other.request("ping"))["ok"]
    assert await in_database(is_mentor)(mentor) is not before


def test_other_groups_make_no_difference(mentors, others, mentor, monkeypatch):
    kicked = []
    monkeypatch.setattr("accounts.mentors.kick_after_commit", lambda *arguments: kicked.append(arguments))
    mentor.groups.add(mentors)
    kicked.clear()
    mentors.save()
    mentor.groups.add(mentors)
    for change in BECOME[:2] + BE_NO_MORE:
        if change is not leave_all:
            change(mentor, others)
    assert kicked == []
