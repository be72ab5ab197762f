from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.core import signing
from django.utils import timezone

from accounts.models import User
from rooms import invitations, models
from rooms.forms import RoomForm
from rooms.models import Room


def test_pages(client, lobby, closed_room, student):
    assert client.get("/rooms/").status_code == 302
    client.force_login(student)
    lobby.post(student, "What was said before")
    assert "What was said before" in client.get("/rooms/lobby/").text
    assert client.get("/rooms/closed/").status_code == 403
    assert "For members" not in client.get("/rooms/").text
    for slug in ("night-watch", "night-watch-2", "night-watch-3"):
        assert client.post("/rooms/", {"name": "Night watch"}).url == f"/rooms/{slug}/"
    assert client.post("/rooms/", {"name": "部屋"}).url == "/rooms/room/"


def test_who_opens_a_room_is_its_host(client, student):
    client.force_login(student)
    settings = {"by_invitation": "on", "waits": "on", "starts_at": "2030-01-01T10:00"}
    made = client.post("/rooms/", {"name": "Interview", **settings, "time_zone": "Europe/Berlin"})
    assert made.url == "/rooms/interview/host/"
    room = Room.objects.get()
    assert (room.host, room.is_open, room.waits) == (student, False, True)
    assert room.starts_at == datetime(2030, 1, 1, 9, tzinfo=UTC)
    assert "You are its host" in client.get("/rooms/").text
    assert "opens on 1 January 2030 at 09:00 UTC" in client.get("/rooms/interview/").text


def test_two_who_choose_the_same_name_at_once(client, student, monkeypatch):
    client.force_login(student)

    def count_after_another(number):
        monkeypatch.undo()
        Room.objects.create(slug="talk", name="Talk")
        return count(number)

    monkeypatch.setattr(models, "count", count_after_another)
    assert client.post("/rooms/", {"name": "Talk"}).url == "/rooms/talk-2/"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": ""}, "required"),
        ({"starts_at": "2030-01-02T10:00", "ends_at": "2030-01-01T10:00"}, "has to come after the beginning"),
        ({"ends_at": "tomorrow"}, "valid date"),
        ({"time_zone": "../etc"}, "not known here"),
        ({"ends_at": "2030-03-31T02:30", "time_zone": "Europe/Berlin"}, "may not exist"),
    ],
)
def test_settings_that_are_wrong(host, closed_room, fields, problem):
    for page in ("/rooms/", "/rooms/closed/host/"):
        assert problem in host.post(page, {"name": "A room", **fields}).text
    assert Room.objects.get().name == "For members"


def test_a_host_changes_the_room(host, closed_room):
    end = {"ends_at": "2030-01-01T10:00"}
    assert host.post("/rooms/closed/host/", {"name": "For all", **end}).url == "/rooms/closed/host/"
    closed_room.refresh_from_db()
    assert (closed_room.name, closed_room.is_open, closed_room.ended) == ("For all", True, False)
    assert 'value="2030-01-01T10:00"' in host.get("/rooms/closed/host/").text


def test_a_host_invites_by_name_or_address(host, client, closed_room, student):
    User.objects.filter(pk=student.pk).update(email="student@example.com")
    for login in ("student", "Student@Example.com"):
        page = host.post("/rooms/closed/host/invite/", {"login": login}, follow=True).text
        assert "student is invited." in page
        assert closed_room.members.get() == student
    assert "Nobody here has this name" in host.post("/rooms/closed/host/invite/", {"login": "nobody"}).text
    client.force_login(student)
    assert client.get("/rooms/closed/").status_code == 200
    assert client.get("/rooms/closed/host/").status_code == 403


def test_names_cannot_be_tried_without_end(host, closed_room, settings):
    settings.THROTTLE = {**settings.THROTTLE, "invited_by_user": (2, 3600)}
    tried = [host.post("/rooms/closed/host/invite/", {"login": "nobody"}).status_code for _ in range(3)]
    assert tried == [200, 200, 429]


def test_a_withdrawn_invitation(host, closed_room, student, admin):
    closed_room.members.add(student)
    closed_room.admit(student.pk)
    page = "/rooms/closed/host/withdraw/"
    assert host.post(page, {"user": "admin"}).status_code == 404
    assert host.post(page, {"user": "student"}).status_code == 302
    assert not closed_room.members.exists()
    assert not closed_room.admissions.exists()
    for change in ("invite", "withdraw"):
        assert host.get(f"/rooms/closed/host/{change}/").status_code == 405


def test_only_the_host_sees_to_a_room(client, lobby, closed_room, student, admin):
    for user in (student, admin):
        client.force_login(user)
        for path in ("", "invite/", "withdraw/"):
            assert client.post(f"/rooms/closed/host/{path}", {"login": "admin"}).status_code == 403
            assert client.post(f"/rooms/lobby/host/{path}").status_code == 403


def test_a_link_invites(host, client, closed_room, student):
    link = host.get("/rooms/closed/host/").context["link"]
    client.force_login(student)
    assert "mentor invites you" in client.get(link).text
    assert not closed_room.members.exists()
    assert client.post(link).url == client.get(link).url == "/rooms/closed/"
    assert closed_room.members.get() == student


def test_a_link_alone_changes_nothing(client, lobby, student):
    link = f"/rooms/lobby/join/?invitation={invitations.sign(lobby)}"
    client.force_login(student)
    assert client.get(link).url == "/rooms/lobby/"
    assert not lobby.members.exists()


def test_links_that_are_withdrawn_at_the_same_time(host, closed_room, student, monkeypatch):
    def withdraw_first(form):
        closed_room.withdraw()
        return clean(form)

    clean = RoomForm.is_valid
    monkeypatch.setattr(RoomForm, "is_valid", withdraw_first)
    host.post("/rooms/closed/host/", {"name": "Another name", "by_invitation": "on"})
    room = Room.objects.get()
    assert (room.name, room.is_open, room.invitation) == ("Another name", False, closed_room.invitation + 1)
    assert not closed_room.accept(student)
    assert room.accept(student)
    assert room.members.get() == student


def test_links_that_do_not_hold(client, closed_room, student, monkeypatch):
    other = Room.objects.create(slug="other", name="Other", is_open=False)
    earlier = invitations.sign(closed_room)
    closed_room.withdraw()
    closed_room.refresh_from_db()
    with monkeypatch.context() as patch:
        now = timezone.now() - invitations.LIFETIME - timedelta(seconds=1)
        patch.setattr(signing.time, "time", now.timestamp)
        expired = invitations.sign(closed_room)
    client.force_login(student)
    unsalted = signing.dumps([closed_room.pk, closed_room.invitation])
    for signed in ("", "broken", earlier, expired, invitations.sign(other), unsalted):
        for ask in (client.get, client.post):
            page = ask(f"/rooms/closed/join/?invitation={signed}")
            assert page.status_code == 403
            assert "does not hold any more" in page.text
            assert closed_room.name not in page.text
    assert client.get("/rooms/none/join/").status_code == 404


def test_before_a_room_opens_and_after_it_has_closed(client, lobby, student):
    client.force_login(student)
    hour = timedelta(hours=1)
    now = timezone.now()
    lobby.post(student, "What was said before")
    for times, said in {
        (now + hour, None): "This room opens on",
        (now - 2 * hour, now - hour): "This room closed on",
        (now - hour, now + hour): "What was said before",
    }.items():
        lobby.starts_at, lobby.ends_at = times
        lobby.save()
        assert said in client.get("/rooms/lobby/").text


def test_who_waits_reads_nothing(client, closed_room, student):
    closed_room.waits = True
    closed_room.save()
    closed_room.members.add(student)
    closed_room.post(student, "What was said before")
    client.force_login(student)
    assert "What was said before" not in client.get("/rooms/closed/").text
    closed_room.admit(student.pk)
    assert "What was said before" in client.get("/rooms/closed/").text
