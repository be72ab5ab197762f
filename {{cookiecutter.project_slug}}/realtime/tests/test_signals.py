import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from realtime.publish import publish
from realtime.signals import after_delete, after_save


@pytest.fixture
def told(transactional_db):
    """What was told of groups; the functions that do so are connected for one test."""
    receivers = [(signal, signal.receivers[:]) for signal in (post_save, post_delete)]
    told = []

    @after_save(Group)
    def saved(group, created):
        told.append(("created" if created else "changed", group.pk, group.name))

    @after_delete(Group)
    def deleted(group):
        told.append(("deleted", group.pk, group.name))

    yield told
    for signal, before in receivers:
        signal.receivers[:] = before
        signal.sender_receivers_cache.clear()


def test_each_row_is_told_as_it_was_saved(told):
    with transaction.atomic():
        group = Group.objects.create(name="one")
        group.name = "two"
        group.save()
        pk, group.name = group.pk, "not saved"
        assert told == []
    assert told == [("created", pk, "one"), ("changed", pk, "two")]
    group.delete()
    assert told[2:] == [("deleted", pk, "not saved")]


def test_what_is_rolled_back_is_not_told(told):
    with transaction.atomic():
        Group.objects.create(name="one")
        transaction.set_rollback(True)
    with transaction.atomic():
        with transaction.atomic():
            Group.objects.create(name="two")
            transaction.set_rollback(True)
        Group.objects.create(name="three")
    assert [name for _, _, name in told] == ["three"]


def test_what_loaddata_brings_is_no_news(told, tmp_path):
    Group.objects.create(name="one")
    file = tmp_path / "groups.json"
    call_command("dumpdata", "auth.Group", output=file, verbosity=0)
    call_command("loaddata", file, verbosity=0)
    assert len(told) == 1


def test_an_error_is_logged_and_the_row_stays(told, caplog):
    @after_save(Group)
    def fail(group, created):
        raise RuntimeError("as it was asked to")

    with transaction.atomic():
        Group.objects.create(name="one")
    Group.objects.create(name="two")
    assert [name for _, _, name in told] == ["one", "two"]
    assert Group.objects.filter(name__in=("one", "two")).count() == 2
    assert caplog.text.count("RuntimeError: as it was asked to") == 2


async def test_a_row_that_is_saved_reaches_the_sockets(connect, told, student):
    @after_save(Group)
    def tell(group, created):
        publish("sample", {"type": "saved", "name": group.name})

    socket = await connect("/ws/sample/", student)
    await sync_to_async(Group.objects.create)(name="sync")
    await Group.objects.acreate(name="async")
    assert [(await socket.receive("saved"))["name"] for _ in range(2)] == ["sync", "async"]
