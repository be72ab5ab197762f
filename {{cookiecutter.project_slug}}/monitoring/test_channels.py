import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from realtime.hub import get_hub

PATH = "/ws/admin/channels/"


def test_the_page_is_for_staff_and_linked_from_the_admin(client, admin_client, student):
    page = reverse("monitoring:channels")
    assert page in admin_client.get("/admin/").content.decode()
    shown = admin_client.get(page).content.decode()
    assert "Processes" in shown
    assert '<meta name="login" content="/admin/login/">' in shown  # for whose login ends
    client.force_login(student)
    assert client.get(page).url == f"/admin/login/?next={page}"


async def test_the_socket_is_for_staff(connect, admin, student):
    assert (await connect(PATH, student)).code == 4403
    socket = await connect(PATH, admin)
    admin.is_staff = False
    await admin.asave(update_fields=["is_staff"])
    assert await socket.close_code() == 4401


async def test_to_disconnect_takes_a_permission(connect, mentor, student):
    mentor.is_staff = True
    await get_user_model().objects.abulk_update([mentor], ["is_staff"])  # a signal would end a later socket
    tab, socket = await connect("/ws/sample/", student), await connect(PATH, mentor)
    (seen,) = (await socket.request("look", search="sample"))["sockets"]
    of_one, of_all = {"process": seen["process"], "socket": seen["id"]}, {"user": student.pk}
    for type, fields in (("end_socket", of_one), ("end_user", of_all)):
        await socket.send(type, id=1, **fields)
        assert (await socket.receive("error"))["code"] == "not_allowed"
    assert (await tab.request("ping"))["ok"]


async def test_it_shows_processes_and_sockets_and_ends_them(connect, admin, student, caplog):
    tabs = [await connect("/ws/sample/", student, address="192.0.2.7") for _ in range(3)]
    socket = await connect(PATH, admin)
    seen = await socket.request("look", search="sample", sort="path")
    (process,) = seen["processes"]
    assert (process["figures"]["sockets"], process["silent_since"], seen["matching"]) == (4, None, 3)
    one = seen["sockets"][0]
    caplog.set_level("INFO", "monitoring")
    for ended in (1, 0):
        reply = await socket.request("end_socket", process=one["process"], socket=one["id"])
        assert reply["ended"] == ended
    (record,) = (record for record in caplog.records if record.name == "monitoring")
    assert record.getMessage().startswith("'admin' disconnected 'student'")
    assert (await socket.request("end_user", user=student.pk))["ended"] == 2
    assert [await tab.close_code() for tab in tabs] == [4410] * 3


@pytest.mark.parametrize("fields", [{"sort": "password"}, {"search": "x" * 101}])
async def test_what_is_no_column_is_refused(connect, admin, fields):
    socket = await connect(PATH, admin)
    await socket.send("look", id=1, **fields)
    assert (await socket.receive("error"))["code"] == "invalid_message"


async def test_it_says_when_the_channel_layer_is_away(connect, admin):
    socket = await connect(PATH, admin)
    get_hub().watch.away = True
    await socket.send("look", id=1)
    assert (await socket.receive("error"))["code"] == "away"
