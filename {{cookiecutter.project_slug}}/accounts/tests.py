import pytest
#% if cookiecutter.auth != "session"
from asgiref.sync import sync_to_async
#% endif
from django.core.management import CommandError, call_command
from django.test import AsyncClient, Client
#% if cookiecutter.auth != "session"
from django.utils import timezone
from rest_framework_simplejwt.settings import api_settings
#% endif
#%%
from accounts import signals
#% if cookiecutter.auth != "session"
from accounts.models import RevokedLogin, User
from accounts.tokens import AccessToken, RefreshToken
#% else
from accounts.models import User
#% endif
from realtime.codes import NOT_AUTHENTICATED


async def post_as(user, path, data=None):
    client = AsyncClient()
    await client.aforce_login(user)
    await client.post(path, data)


async def log_out(user):
    await post_as(user, "/accounts/logout/")


async def change_password(user):
    data = {"old_password": "a-secret", "new_password1": "another-1", "new_password2": "another-1"}
    await post_as(user, "/accounts/password_change/", data)


async def deactivate(user):
    user.is_active = False
    await user.asave()


async def change_role(user):
    user.role = user.Role.MENTOR
    await user.asave()


async def delete(user):
    await user.adelete()

#% if cookiecutter.auth != "session"
#%%
async def log_out_with_token(user):
    token = await sync_to_async(RefreshToken.for_user)(user)
    await AsyncClient().post("/api/token/logout/", {"refresh": str(token)})

#% endif
#%%
ENDS = [log_out, change_password, deactivate, change_role, delete]
#% if cookiecutter.auth != "session"
ENDS += [log_out_with_token]
#% endif
#%%

@pytest.mark.parametrize("end", ENDS)
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
        ("role", User.Role.ADMIN, "Your role was changed"),
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
        response = Client().post("/accounts/login/", {"username": name, "password": "demo-pass-1"})
        assert (response.status_code, response.url) == (302, "/")
        assert response.wsgi_request.user.role == name
#% if cookiecutter.auth != "session"
#%%

@pytest.fixture
def tokens(client, student):
    """Return a function that asks for tokens."""

    def tokens(path="", **data):
        return client.post(f"/api/token/{path}", data)

    return tokens


LOGIN = {"username": "student", "password": "a-secret"}


def is_good(client, access):
    return client.get("/api/problems/", headers={"authorization": f"Bearer {access}"}).status_code == 200


def test_tokens(client, tokens):
    pair, other = tokens(**LOGIN).json(), tokens(**LOGIN).json()
    later = tokens("refresh/", refresh=pair["refresh"]).json()["access"]
    assert is_good(client, later)
    assert tokens("logout/", refresh=pair["refresh"]).status_code == 200
    assert not is_good(client, pair["access"])
    assert not is_good(client, later)
    assert tokens("refresh/", refresh=pair["refresh"]).status_code == 401
    assert is_good(client, other["access"])  # of another login
    assert tokens("logout/", refresh="nonsense").status_code == 401
    assert tokens(username="student", password="wrong").status_code == 401


async def test_an_access_token_opens_no_socket_after_logging_out(connect, student):
    refresh = await sync_to_async(RefreshToken.for_user)(student)
    bearer = ["bearer", str(refresh.access_token)]
    assert (await connect("/ws/sample/", subprotocols=bearer)).hello
    await AsyncClient().post("/api/token/logout/", {"refresh": str(refresh)})
    assert (await connect("/ws/sample/", subprotocols=bearer)).code == NOT_AUTHENTICATED


@pytest.mark.parametrize("blacklist", [True, False])
def test_a_login_may_renew_its_refresh_token(client, tokens, monkeypatch, blacklist):
    kicked = []
    monkeypatch.setattr(signals, "kick", lambda *arguments: kicked.append(arguments))
    monkeypatch.setattr(api_settings, "ROTATE_REFRESH_TOKENS", True)
    monkeypatch.setattr(api_settings, "BLACKLIST_AFTER_ROTATION", blacklist)
    first = tokens(**LOGIN).json()
    second = tokens("refresh/", refresh=first["refresh"]).json()
    assert is_good(client, first["access"])
    assert not kicked
    tokens("logout/", refresh=second["refresh"])
    assert len(kicked) == 1
    assert not is_good(client, first["access"])
    assert not is_good(client, second["access"])
    assert tokens("refresh/", refresh=first["refresh"]).status_code == 401


def test_a_deleted_user_gets_no_new_token(tokens, student):
    refresh = tokens(**LOGIN).json()["refresh"]
    student.delete()
    assert tokens("refresh/", refresh=refresh).status_code == 401


def test_a_login_that_was_ended_is_forgotten_when_its_tokens_are_over(tokens):
    RevokedLogin.objects.create(sid="old", expires_at=timezone.now())
    pair = tokens(**LOGIN).json()
    tokens("logout/", refresh=pair["refresh"])
    ended = RevokedLogin.objects.get()
    assert ended.sid == AccessToken(pair["access"], verify=False)["sid"]
    assert ended.expires_at.timestamp() >= RefreshToken(pair["refresh"], verify=False)["exp"]
#% endif
