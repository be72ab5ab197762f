import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import AsyncClient
from django.urls import reverse

from accounts import signals
from accounts.models import User
from realtime.codes import NOT_AUTHENTICATED


async def log_out(user):
    client = AsyncClient()
    await client.aforce_login(user)
    await client.post(reverse("logout"), {}, "application/json")


async def change_password(user):
    user.set_password("another-1")
    await user.asave()


async def deactivate(user):
    user.is_active = False
    await user.asave()


async def make_staff(user):
    user.is_staff = True
    await user.asave()


async def delete(user):
    await user.adelete()


@pytest.mark.parametrize("end", [log_out, change_password, deactivate, make_staff, delete])
async def test_who_may_no_longer_come_in_is_put_out(connect, student, mentor, end):
    sockets = [await connect("/ws/sample/", student) for _ in range(2)]
    other = await connect("/ws/sample/", mentor)
    await end(student)
    for socket in sockets:
        assert await socket.close_code() == NOT_AUTHENTICATED
    assert (await other.request("ping"))["ok"]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("is_active", False, "Your account is no longer active"),
        ("password", "!", "Your password was changed"),
        ("is_staff", True, "Your staff status was changed"),
        ("email", "new@example.com", None),
    ],
)
def test_a_user_is_told_why(student, monkeypatch, field, value, reason):
    told = []
    monkeypatch.setattr(signals, "kick", lambda user_id, reason: told.append(reason))
    setattr(student, field, value)
    student.save()
    assert told == ([reason] if reason else [])


def test_what_no_login_rests_on_is_saved_in_one_query(student, django_assert_num_queries):
    with django_assert_num_queries(1):
        User.objects.create_user("another")
    with django_assert_num_queries(1):
        student.save(update_fields=["email", "last_login"])


def test_demo_users_can_log_in(transactional_db, monkeypatch, settings):
    monkeypatch.setenv("DEMO_PASSWORD", "demo-pass-1")
    call_command("createdemo")
    with pytest.raises(CommandError, match="There is a user admin already"):  # who may be a real one
        call_command("createdemo")
    settings.DEBUG = True
    call_command("createdemo")
    for name in ("student", "mentor", "admin"):
        user = authenticate(username=name, password="demo-pass-1")
        assert user.is_superuser == (name == "admin")
