"""What the doctor says of a room in which it cannot try anything."""

from datetime import timedelta

import pytest
from django.utils import timezone

from realtime.doctor import Doctor
from realtime.doctor_client import Problem
from rooms import doctor
from rooms.models import Room

URL = "http://127.0.0.1:1"


@pytest.fixture
def room(db, mentor, student):
    return Room.objects.create(slug="interview", name="Interview", host=mentor)


def test_it_looks_at_a_room_only_if_asked_to():
    asked, not_asked = Doctor(URL, 0, room="lobby", verbosity=1), Doctor(URL, 0, room="")
    assert "signals in lobby" in [name for name, *_ in asked.checks]
    assert not any("signals" in name for name, *_ in not_asked.checks)


def test_a_room_that_is_not_there_or_not_open(room):
    with pytest.raises(Problem, match="there is no such room"):
        doctor.open_room("elsewhere")
    room.starts_at = timezone.now() + timedelta(hours=1)
    room.save()
    with pytest.raises(Problem, match="This room opens on"):
        doctor.open_room("interview")


def test_it_takes_two_who_may_come_in_and_need_not_wait(room, mentor, student):
    assert doctor.two_users(room) == (mentor, student)
    room.is_open = False
    with pytest.raises(Problem, match="fewer than two"):
        doctor.two_users(room)
    room.members.add(student)
    assert doctor.two_users(room) == (mentor, student)
    room.waits = True
    with pytest.raises(Problem, match="fewer than two"):
        doctor.two_users(room)
    room.admit(student.pk)
    assert doctor.two_users(room) == (mentor, student)
    student.is_active = False
    student.save()
    with pytest.raises(Problem, match="fewer than two"):
        doctor.two_users(room)
