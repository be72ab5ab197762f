from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from rooms import invitations
from rooms.models import Room

LOBBY, CLOSED = "/api/rooms/lobby/", "/api/rooms/closed/"


def post(client, path, **values):
    return client.post(path, values, "application/json")


def test_who_is_not_logged_in_learns_nothing(client, lobby):
    for path in ("/api/rooms/", LOBBY, f"{LOBBY}join/", f"{LOBBY}host/"):
        assert client.get(path).status_code == 401


def test_rooms_are_listed_and_made(client, lobby, closed_room, student):
    client.force_login(student)
    assert [room["slug"] for room in client.get("/api/rooms/").json()] == ["lobby"]
    made = post(client, "/api/rooms/", name="Night watch").json()
    assert (made["slug"], made["is_open"], made["is_host"]) == ("night-watch", True, True)
    settings = {"by_invitation": True, "waits": True, "starts_at": "2030-01-01T10:00", "ends_at": None}
    made = post(client, "/api/rooms/", name="Interview", time_zone="Europe/Berlin", **settings).json()
    assert not made["is_open"]
    room = Room.objects.get(slug="interview")
    assert (room.host, room.waits, room.starts_at) == (student, True, datetime(2030, 1, 1, 9, tzinfo=UTC))
    assert datetime.fromisoformat(made["starts_at"]) == room.starts_at


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "A room", "starts_at": "2030-01-02T10:00", "ends_at": "2030-01-01T10:00"}, "__all__"),
        ({"name": "A room", "ends_at": 5}, "ends_at"),
        ({"name": "A room", "starts_at": "0001-01-01T00:00", "time_zone": "Asia/Tokyo"}, "starts_at"),
        ({"name": "A room", "ends_at": "9999-12-31T23:59", "time_zone": "America/New_York"}, "ends_at"),
        ({"name": "A room", "time_zone": "../etc"}, "time_zone"),
    ],
)
def test_settings_that_are_wrong(host, closed_room, values, field):
    for path in ("/api/rooms/", f"{CLOSED}host/"):
        refused = post(host, path, **values)
        assert refused.status_code == 400
        assert list(refused.json()["errors"]) == [field]
    assert post(host, "/api/rooms/", name=["A room"]).status_code == 400
    assert Room.objects.get().name == "For members"


def test_a_room_begins_with_its_newest_messages_as_frames(client, lobby, student):
    for number in range(60):
        lobby.post(student, str(number))
    client.force_login(student)
    room = client.get(LOBBY).json()
    assert (room["name"], room["is_host"]) == ("Lobby", False)
    assert (room["must_wait"], room["closed_because"]) == (False, "")
    assert [frame["message"] for frame in room["messages"]] == [str(number) for number in range(10, 60)]
    last = room["messages"][-1]
    assert last["type"] == "chat_message"
    assert last["sender"] == {"id": student.pk, "username": "student"}


def test_who_stays_outside_reads_nothing(client, closed_room, student):
    closed_room.post(student, "What was said before")
    client.force_login(student)
    assert client.get(CLOSED).status_code == 403
    assert client.get("/api/rooms/none/").status_code == 404
    closed_room.members.add(student)
    assert client.get(CLOSED).json()["messages"]
    Room.objects.update(waits=True)
    room = client.get(CLOSED).json()
    assert (room["must_wait"], room["messages"]) == (True, [])
    Room.objects.update(waits=False, starts_at=timezone.now() + timedelta(hours=1))
    room = client.get(CLOSED).json()
    assert room["closed_because"].startswith("This room opens on")
    assert room["messages"] == []


def test_a_link_invites(client, closed_room, student):
    link = f"{CLOSED}join/?invitation={invitations.sign(closed_room)}"
    client.force_login(student)
    assert client.get(link).json() == {
        "slug": "closed",
        "name": "For members",
        "host": "mentor",
        "inside": False,
    }
    assert not closed_room.members.exists()
    assert post(client, link).json()["inside"]
    assert closed_room.members.get() == student
    assert client.get(f"{CLOSED}join/").json()["inside"]


def test_a_link_that_does_not_hold(client, closed_room, student):
    link = f"{CLOSED}join/?invitation={invitations.sign(closed_room)}"
    closed_room.withdraw()
    client.force_login(student)
    for refused in (client.get(link), post(client, link), client.get(f"{CLOSED}join/")):
        assert refused.status_code == 403
        assert "For members" not in refused.text
    assert not closed_room.members.exists()


def test_a_host_changes_the_room(host, closed_room, student):
    closed_room.members.add(student)
    changed = post(host, f"{CLOSED}host/", name="For all", ends_at="2030-01-01T10:00").json()
    assert (changed["name"], changed["is_open"]) == ("For all", True)
    assert changed["ends_at"] == "2030-01-01T10:00:00Z"
    assert changed["members"] == ["student"]
    assert invitations.holds(changed["invitation"], closed_room)
    assert host.get(f"{CLOSED}host/").json()["name"] == "For all"


def test_a_host_invites_and_withdraws(host, closed_room, student):
    assert post(host, f"{CLOSED}host/invite/", login="student").json() == {"detail": "student is invited."}
    assert closed_room.members.get() == student
    refused = post(host, f"{CLOSED}host/invite/", login="nobody")
    assert "Nobody here has this name" in refused.json()["errors"]["login"][0]
    signed = invitations.sign(closed_room)
    assert post(host, f"{CLOSED}host/withdraw/", user="admin").status_code == 404
    withdrawn = post(host, f"{CLOSED}host/withdraw/", user="student").json()
    assert withdrawn == {"detail": "student is not invited any more."}
    assert not closed_room.members.exists()
    closed_room.refresh_from_db()
    assert not invitations.holds(signed, closed_room)
    assert post(host, f"{CLOSED}host/withdraw/").json() == {"detail": "Earlier links lead nowhere now."}


def test_names_cannot_be_tried_without_end(host, closed_room, settings):
    settings.THROTTLE = {**settings.THROTTLE, "invited_by_user": (2, 3600)}
    tried = [post(host, f"{CLOSED}host/invite/", login="nobody") for _ in range(3)]
    assert [answer.status_code for answer in tried] == [400, 400, 429]
    assert tried[-1].json()["code"] == "throttled"
    assert int(tried[-1].headers["Retry-After"]) <= 3600


def test_only_the_host_sees_to_a_room(client, closed_room, student):
    client.force_login(student)
    assert client.get(f"{CLOSED}host/").status_code == 403
    for path in ("", "invite/", "withdraw/"):
        assert post(client, f"{CLOSED}host/{path}", login="admin").status_code == 403
        assert client.put(f"{CLOSED}host/{path}").status_code == 405
