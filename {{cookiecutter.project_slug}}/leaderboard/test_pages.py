from django.test import AsyncClient

from leaderboard.scores import aadd_score


async def test_the_page(connect, student, mentor, admin):
    await aadd_score(mentor.pk, 1234.5)
    client = AsyncClient()
    assert (await client.get("/leaderboard/")).status_code == 302
    await client.aforce_login(student)
    page = (await client.get("/leaderboard/")).text
    assert "1,234.5" in page
    assert "Give points" not in page
    assert (await client.post("/leaderboard/", {"user": "student", "points": 9})).status_code == 403
    await client.aforce_login(admin)
    socket = await connect("/ws/leaderboard/", student)
    for user, points in (("nobody", 1), ("student", "nan"), ("student", "much"), ("student", "1e17")):
        refused = await client.post("/leaderboard/", {"user": user, "points": points})
        assert "errorlist" in refused.text
    assert (await client.post("/leaderboard/", {"user": "student", "points": "2"})).status_code == 302
    assert (await socket.receive("leaderboard_changed"))["changed"] == [
        {"rank": 2, "user": {"id": student.pk, "username": "student"}, "score": 2}
    ]
