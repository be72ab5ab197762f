"""The standings in Redis follow the database, whatever was lost on the way."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from leaderboard import standings_redis as standings
from leaderboard.models import Score
from leaderboard.scores import add_score, update_leaderboard


@pytest.fixture(autouse=True)
def anew(transactional_db):
    standings.catch_up(anew=True)


def key(name):
    return standings._keys()[standings.KEYS.index(name)]


@pytest.fixture
def redis():
    return standings._redis()


def test_an_older_value_does_not_replace_a_newer_one(student):
    score = add_score(student.pk, 1)
    add_score(student.pk, 1)
    standings.record([(student.pk, score.version, score.points)])
    assert standings.find(student.pk) == (1, 2)


def test_the_publisher_is_told_once_until_it_reads(student):
    standings.best(1)
    rows = [[(student.pk, version, 1.0)] for version in (1, 2, 2, 3)]
    assert [standings.record(row) for row in rows[:2]] == [True, False]
    standings.best(1)
    assert [standings.record(row) for row in rows[2:]] == [False, True]


@pytest.mark.parametrize("lost", [["points"], ["versions"], ["mark"], list(standings.KEYS)])
def test_keys_that_are_lost(student, mentor, redis, lost):
    """Until the standings are made anew, the database answers."""
    update_leaderboard([(student.pk, 2), (mentor.pk, 3)])
    redis.delete(*map(key, lost))
    assert standings.is_behind()
    add_score(student.pk, 2)
    assert standings.find(student.pk) == (1, 4)
    assert standings.best(9) == [(student.pk, 4), (mentor.pk, 3)]
    assert standings.catch_up() == 2
    assert not standings.is_behind()
    assert standings.best(9) == [(student.pk, 4), (mentor.pk, 3)]
    assert redis.zcard(key("points")) == 2


def test_changes_that_did_not_arrive(student, mentor, monkeypatch):
    add_score(student.pk, 1)
    add_score(mentor.pk, 1)
    Score.objects.filter(user=mentor).update(updated_at=Now() - timedelta(hours=1))
    standings.catch_up(anew=True)
    with monkeypatch.context() as patch:
        patch.setattr(standings, "_away_until", float("inf"))
        add_score(student.pk, 5)
        assert standings.find(student.pk) == (1, 6)
        with pytest.raises(ConnectionError):
            standings.catch_up()
    assert standings.find(student.pk) == (1, 1)
    assert standings.catch_up() == 1  # of what changed since, and not all
    assert standings.find(student.pk) == (1, 6)


def test_one_at_a_time_catches_up(student, redis):
    add_score(student.pk, 1)
    redis.set(key("builder"), "another process")
    assert standings.catch_up() == 0
    assert standings.catch_up(anew=True) == 1
    assert not redis.exists(key("builder"))
    redis.set(key("builder"), "another process")
    assert standings._run(standings.RECORD, "this one", 10, student.pk, 9, 9.0) == -1
    standings._run(standings.END, "this one", "2000-01-01")
    assert standings.find(student.pk) == (1, 1)
