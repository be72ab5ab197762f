import pytest

from leaderboard import standings
from leaderboard.models import MOST
from leaderboard.scores import add_score

PATH = "/api/leaderboard/"


@pytest.fixture(autouse=True)
def anew(transactional_db):
    """Nothing that an earlier test left is in the standings."""
    standings.catch_up(anew=True)


def test_the_table_and_ones_own_place(client, student, mentor):
    add_score(mentor.pk, 1234.5)
    assert client.get(PATH).status_code == 401
    client.force_login(student)
    assert client.get(PATH).json() == {
        "entries": [{"rank": 1, "user": {"id": mentor.pk, "username": "mentor"}, "score": 1234.5}],
        "you": {"rank": None, "score": None},
        "may_give": False,
    }
    assert client.post(PATH, {"user": "student", "points": 9}, "application/json").status_code == 403


def test_who_may_gives_points(client, student, admin):
    client.force_login(admin)
    assert client.get(PATH).json()["may_give"]
    add_score(student.pk, MOST)
    for user, points, field in (
        ("nobody", 1, "user"),
        ("student", "nan", "points"),
        ("student", "much", "points"),
        ("student", 10**400, "points"),
        ("student", 1e17, "points"),
        ("student", 2, "points"),  # beyond what anybody can have
    ):
        refused = client.post(PATH, {"user": user, "points": points}, "application/json")
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
        assert list(refused.json()["errors"]) == [field]
    no_form = client.post(PATH, {"user": {"name": "student"}, "points": 1}, "application/json")
    assert (no_form.status_code, no_form.json()["code"]) == (400, "invalid")
    assert client.post(PATH, {"user": "student", "points": -2}, "application/json").json() == {}
    assert standings.find(student.pk) == (1, MOST - 2)
