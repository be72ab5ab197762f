import pytest
#% if cookiecutter.auth != "session"
from asgiref.sync import sync_to_async
#% endif
from django.core.management import CommandError, call_command
from django.test import AsyncClient
#% if cookiecutter.auth != "session"
from rest_framework_simplejwt.tokens import RefreshToken
#% endif
#%%
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


async def delete(user):
    await user.adelete()

#% if cookiecutter.auth != "session"
#%%
async def log_out_with_token(user):
    token = await sync_to_async(RefreshToken.for_user)(user)
    await AsyncClient().post("/api/token/logout/", {"refresh": str(token)})

#% endif
#%%
#% if cookiecutter.auth == "session"
@pytest.mark.parametrize("end", [log_out, change_password, deactivate, delete])
#% else
@pytest.mark.parametrize("end", [log_out, log_out_with_token, change_password, deactivate, delete])
#% endif
async def test_who_may_no_longer_come_in_is_put_out(connect, student, mentor, end):
    sockets = [await connect("/ws/sample/", student) for _ in range(2)]
    other = await connect("/ws/sample/", mentor)
    await end(student)
    for socket in sockets:
        assert await socket.close_code() == NOT_AUTHENTICATED
    assert (await other.request("ping"))["ok"]


def test_demo_users_can_log_in(client, transactional_db, monkeypatch, settings):
    monkeypatch.setenv("DEMO_PASSWORD", "demo-pass-1")
    call_command("createdemo")
    with pytest.raises(CommandError, match="There is a user admin already"):  # who may be a real one
        call_command("createdemo")
    settings.DEBUG = True
    call_command("createdemo")
    for name in ("student", "mentor", "admin"):
        response = client.post("/accounts/login/", {"username": name, "password": "demo-pass-1"})
        assert (response.status_code, response.url) == (302, "/")
        assert response.wsgi_request.user.role == name
#% if cookiecutter.auth != "session"
#%%

def test_tokens(client, student):
    def post(path, **data):
        return client.post(f"/api/token/{path}", data)

    pair = post("", username="student", password="a-secret").json()
    assert post("refresh/", refresh=pair["refresh"]).json()["access"]
    assert post("logout/", refresh=pair["refresh"]).status_code == 200
    assert post("refresh/", refresh=pair["refresh"]).status_code == 401
    assert post("", username="student", password="wrong").status_code == 401
#% endif
