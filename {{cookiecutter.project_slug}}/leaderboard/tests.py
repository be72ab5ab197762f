import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import StringIO

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from accounts.models import User
from leaderboard import consumers, live, standings
from leaderboard.live import LeaderboardChanged, advance, table
from leaderboard.models import MOST, Score
from leaderboard.scores import aadd_score, add_score, aupdate_leaderboard, update_leaderboard
from realtime.codes import NOT_AUTHENTICATED

PATH = "/ws/leaderboard/"


def who(user):
    return {"id": user.pk, "username": user.username}


def entry(rank, user, score):
    return {"rank": rank, "user": who(user), "score": score}


@pytest.fixture(autouse=True)
def anew(transactional_db):
    """Nothing that an earlier test left is in the cache or the standings."""
    live.cache.delete_many([live.LEASE, live.TABLE])
    standings.catch_up(anew=True)


@pytest.fixture
def crowd(transactional_db):
    return User.objects.bulk_create(User(username=f"user{number}") for number in range(8))


async def watch(connect, user):
    socket = await connect(PATH, user)
    return socket, await socket.receive("leaderboard_snapshot")


async def test_a_snapshot_then_what_changes(connect, student, mentor, admin):
    await aadd_score(mentor.pk, 30)
    await aadd_score(student.pk, 10)
    socket, snapshot = await watch(connect, student)
    assert snapshot["entries"] == [entry(1, mentor, 30), entry(2, student, 10)]
    assert snapshot["you"] == {"rank": 2, "score": 10}

    await aadd_score(student.pk, 30.5)
    assert await socket.receive("leaderboard_changed") == {
        "type": "leaderboard_changed",
        "version": snapshot["version"] + 1,
        "changed": [entry(1, student, 40.5), entry(2, mentor, 30)],
        "removed": [],
    }
    gone = mentor.pk
    await sync_to_async(mentor.delete)()
    assert await socket.receive("leaderboard_changed") == {
        "type": "leaderboard_changed",
        "version": snapshot["version"] + 2,
        "changed": [],
        "removed": [gone],
    }
    other, now = await watch(connect, admin)
    assert now["version"] == snapshot["version"] + 2
    assert now["entries"] == [entry(1, student, 40.5)]
    assert now["you"] == {"rank": None, "score": None}
    await other.send("snapshot")
    assert await other.receive("leaderboard_snapshot") == now


async def test_a_table_that_does_not_stand_still_is_sent_once(connect, student, monkeypatch):
    """What changed while it was read comes after it; to read it again for each would never end."""

    def read_while_it_changes():
        current = table()
        live.cache.set(live.TABLE, msgspec.structs.replace(current, version=current.version + 1), None)
        return current

    monkeypatch.setattr(consumers, "table", read_while_it_changes)
    socket, snapshot = await watch(connect, student)
    await socket.send("snapshot")
    assert (await socket.receive())["version"] == snapshot["version"] + 1
    await socket.send("ping")
    assert await socket.receive() == {"type": "pong"}


async def test_who_is_equal_shares_a_rank(connect, crowd):
    points = [5, 9, 9, 1, 5, 5, 0.5, -2]
    await aupdate_leaderboard(zip([user.pk for user in crowd], points, strict=True))
    _, snapshot = await watch(connect, crowd[3])
    ranks = [1, 1, 3, 3, 3, 6, 7, 8]
    assert [one["rank"] for one in snapshot["entries"]] == ranks
    order = [1, 2, 0, 4, 5, 3, 6, 7]
    assert [one["user"] for one in snapshot["entries"]] == [who(crowd[place]) for place in order]
    for user, rank, score in ((crowd[5], 3, 5), (crowd[7], 8, -2)):
        own = await connect(PATH, user)
        answer = await own.request("my_rank")
        assert (answer["rank"], answer["score"]) == (rank, score)


async def test_only_the_top_is_sent(connect, crowd, monkeypatch):
    monkeypatch.setattr(live, "TOP", 3)
    await aupdate_leaderboard([(user.pk, 100 - place) for place, user in enumerate(crowd)])
    socket, snapshot = await watch(connect, crowd[7])
    assert [one["user"] for one in snapshot["entries"]] == [who(user) for user in crowd[:3]]
    assert snapshot["you"] == {"rank": 8, "score": 93}
    await aadd_score(crowd[6].pk, 1)
    await aadd_score(crowd[7].pk, 20)
    changed = await socket.receive("leaderboard_changed")
    assert changed["removed"] == [crowd[2].pk]
    assert changed["changed"] == [
        entry(1, crowd[7], 113),
        entry(2, crowd[0], 100),
        entry(3, crowd[1], 99),
    ]


async def test_many_changes_are_few_frames_and_the_last_one_counts(connect, student, mentor):
    socket, snapshot = await watch(connect, student)
    for _ in range(30):
        await aadd_score(student.pk, 1)
    frames = []
    while not frames or frames[-1]["changed"] != [entry(1, student, 30)]:
        frames.append(await socket.receive("leaderboard_changed"))
    versions = [snapshot["version"] + number for number in range(1, len(frames) + 1)]
    assert [frame["version"] for frame in frames] == versions


async def test_what_is_rolled_back_is_not_sent(connect, student):
    socket, _ = await watch(connect, student)

    def add():
        with transaction.atomic():
            add_score(student.pk, 100)
            update_leaderboard([(student.pk, 200)])
            transaction.set_rollback(True)
        with transaction.atomic():
            add_score(student.pk, 1)

    await sync_to_async(add)()
    assert (await socket.receive("leaderboard_changed"))["changed"] == [entry(1, student, 1)]
    assert (await Score.objects.aget()).points == 1


def test_points_are_numbers(student):
    add_to_student = partial(add_score, student.pk)
    add_to_student(1)
    for wrong in (True, "5", None, float("nan"), float("inf"), -float("inf"), MOST + 2, 10**400, [1]):
        for change, given in ((add_to_student, wrong), (update_leaderboard, [(student.pk, wrong)])):
            with pytest.raises(ValueError, match=r"^points are a number .* not .+$"):
                change(given)
    update_leaderboard([(student.pk, MOST)])
    with pytest.raises(ValueError, match="beyond"):
        add_score(student.pk, MOST)
    update_leaderboard([(student.pk, 1)])
    for nobody in (partial(add_score, 0, 1), partial(update_leaderboard, [(student.pk, 7), (0, 1)])):
        with pytest.raises(User.DoesNotExist):
            nobody()
    assert Score.objects.get().points == 1
    assert standings.best(9) == [(student.pk, 1)]


def test_however_many_write_at_once_nothing_is_lost_and_the_standings_agree(crowd):
    """Some add to the same score, others set it, and who is last does not depend on who is quick."""

    def write(number):
        try:
            add_score(crowd[number % 2].pk, 1)
            if number % 5 == 0:
                update_leaderboard([(user.pk, number) for user in crowd[2:]])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, range(60)))
    assert sum(Score.objects.get(user=user).points for user in crowd[:2]) == 60
    assert sorted(standings.best(9)) == sorted(Score.objects.values_list("user_id", "points"))
    for user in crowd:
        assert standings.find(user.pk) == Score.objects.standing(user.pk)


def test_one_process_at_a_time_makes_the_table(student, mentor):
    add_score(student.pk, 1)
    first = advance("one", touched=True)
    assert first.ours
    add_score(student.pk, 1)
    assert not advance("other", touched=True).ours
    live.lease.release(live.LEASE, "other")
    assert advance("one", touched=True).frame.version == first.frame.version + 1


def test_who_follows_one_that_died_says_so(student):
    """That one may have stored a version that it did not publish."""
    add_score(student.pk, 1)
    stored = advance("one", touched=True).frame
    live.cache.delete(live.LEASE)
    notice = LeaderboardChanged(version=stored.version + 1, changed=[], removed=[])
    assert advance("other", touched=False).frame == notice
    assert advance("other", touched=False).frame is None
    assert advance("one", touched=True).frame is None
    assert table().version == notice.version


def test_who_was_asleep_and_stores_an_old_table_does_no_harm(student):
    """A version that clients know already would be ignored; this one they lack some before, and ask."""
    add_score(student.pk, 1)
    old = advance("one", touched=True).frame
    stored = table()
    live.cache.delete(live.LEASE)
    newest = advance("other", touched=True).frame.version
    live.cache.set(live.TABLE, stored, None)
    add_score(student.pk, 1)
    assert advance("other", touched=True, newest=newest).frame.version == newest + 2 == old.version + 3


async def test_rows_that_were_written_past_the_functions(connect, student, mentor):
    socket, _ = await watch(connect, student)
    await Score.objects.abulk_create([Score(user=student, points=3), Score(user=mentor, points=4)])
    printed = StringIO()
    await sync_to_async(call_command)("rebuild_leaderboard", stdout=printed)
    assert "from 2 scores" in printed.getvalue()
    changed = (await socket.receive("leaderboard_changed"))["changed"]
    assert changed == [entry(1, mentor, 4), entry(2, student, 3)]
    await Score.objects.filter(user=student).aupdate(points=5)
    await aupdate_leaderboard()
    changed = (await socket.receive("leaderboard_changed"))["changed"]
    assert changed == [entry(1, student, 5), entry(2, mentor, 4)]


async def test_it_goes_on_after_an_error(connect, student, monkeypatch):
    socket, _ = await watch(connect, student)
    monkeypatch.setattr(live, "CHECK_SECONDS", 0.1)
    failed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def fail(*arguments):
        loop.call_soon_threadsafe(failed.set)
        raise OSError("the cache is away")

    with monkeypatch.context() as patch:
        patch.setattr(live, "read", fail)
        await aadd_score(student.pk, 1)
        await asyncio.wait_for(failed.wait(), 5)
    assert (await socket.receive("leaderboard_changed"))["changed"] == [entry(1, student, 1)]


async def test_bad_frames_and_who_may_not(connect, student):
    assert (await connect(PATH)).code == NOT_AUTHENTICATED
    socket, _ = await watch(connect, student)
    for type, fields, code in (
        ("my_rank", {"id": [1]}, "invalid_message"),
        ("snapshot", {"id": 1.5}, "invalid_message"),
        ("add_score", {"points": 1}, "unknown_type"),
    ):
        await socket.send(type, **fields)
        assert (await socket.receive("error"))["code"] == code
    assert (await socket.request("ping"))["ok"]


def test_the_admin_changes_the_table_too(client, admin, student):
    client.force_login(admin)
    assert client.post("/admin/leaderboard/score/add/", {"user": student.pk, "points": 5}).status_code == 302
    score = Score.objects.get()
    change = f"/admin/leaderboard/score/{score.pk}/change/"
    assert client.post(change, {"points": 6}).status_code == 302
    assert standings.find(student.pk) == (1, 6)
    assert "between" in client.post(change, {"points": "1e17"}).text
    client.post(f"/admin/leaderboard/score/{score.pk}/delete/", {"post": "yes"})
    assert standings.find(student.pk) is None


async def test_a_command_gives_points(connect, student):
    socket, _ = await watch(connect, student)
    command = sync_to_async(partial(call_command, "add_score", stdout=StringIO()))
    for wrong in (("nobody", "1"), ("student", "nan")):
        with pytest.raises(CommandError):
            await command(*wrong)
    await command("student", "7")
    assert (await socket.receive("leaderboard_changed"))["changed"] == [entry(1, student, 7)]
