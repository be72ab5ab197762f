import pytest

from accounts.mentors import make_mentor
from accounts.models import User
from mentoring.models import Mentorship


@pytest.fixture
def mentor(mentor):
    make_mentor(mentor)
    return mentor


@pytest.fixture
def stranger(transactional_db):
    """A mentor of nobody."""
    stranger = User.objects.create_user("stranger")
    make_mentor(stranger)
    return stranger


@pytest.fixture
def mentorship(mentor, student):
    return Mentorship.objects.bulk_create([Mentorship(mentor=mentor, student=student)])[0]


@pytest.fixture
def people(student, mentor, stranger, admin):
    return {"student": student, "mentor": mentor, "stranger": stranger, "admin": admin}
