"""C13: a login that ends closes its sockets, in all processes."""

import asyncio
import time
from contextlib import AsyncExitStack, closing

import httpx
import jwt

from busy import Busy
from client import address, talk
from contract.site import AT_ONCE, PROBE
from conversation import NOTIFICATIONS
from serving import running


async def test_c13_a_login_that_ends_closes_its_sockets(site):
    """A token expires; a user logs out, changes the password, is deactivated, is deleted elsewhere."""
    async with asyncio.TaskGroup() as tasks:
        if site.has_tokens:  # beside the rest, since for seconds it only waits
            tasks.create_task(asyncio.to_thread(asyncio.run, token_expires(site)))
        await logins_end(site)


async def logins_end(site):
    with closing(site.make_user()) as leaver:
        await put_out(site, leaver, lambda: leaver.post("/accounts/logout/"))
        leaver.close()
        if site.has_tokens:
            refresh = {"refresh": leaver.tokens["refresh"]}
            await put_out(site, leaver, lambda: httpx.post(f"{site.url}/api/token/logout/", json=refresh))
            del leaver.tokens  # which end with the login
        await put_out(site, leaver, lambda: change_password(leaver, "another-good-password"))
        if site.has_redis:
            await put_out_elsewhere(site, leaver)
        await put_out(site, leaver, lambda: set_active(site, leaver, False))
        set_active(site, leaver, True)
        script = f"from accounts.models import User; User.objects.get(pk={leaver.id}).delete()"
        await put_out(site, leaver, lambda: site.project.manage("shell", "-c", script))


async def put_out(site, person, act):
    """Open sockets, act: each is closed within a second after, on a machine that is not busy."""
    proofs = [by for by, there in (("session", site.has_sessions), ("jwt", site.has_tokens)) if there]
    room = site.new_room()
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(person.open(path, by=by))
            for path in (room, NOTIFICATIONS, "/ws/")
            for by in (*proofs, "ticket")
        ]
        for socket in sockets:
            await socket.frame("connection_established")
        busy = Busy(site.server)
        answer = await asyncio.to_thread(act)
        assert isinstance(answer, str) or answer.status_code in (200, 302), answer.text
        start = time.monotonic()
        assert {await socket.closed() for socket in sockets} == {4401}
        assert time.monotonic() - start < busy.limit(AT_ONCE)


async def put_out_elsewhere(site, person):
    """A logout in one process closes a socket in another within a second, too."""
    with running(site.project) as other:
        async with person.at(other.url).open(NOTIFICATIONS) as socket:
            await socket.frame("connection_established")
            busy = Busy(site.server, other)
            await asyncio.to_thread(person.post, "/accounts/logout/")
            start = time.monotonic()
            assert await socket.closed() == 4401
            assert time.monotonic() - start < busy.limit(AT_ONCE)
    person.close()


def change_password(person, new):
    answer = person.post(
        "/accounts/password_change/", old_password=person.password, new_password1=new, new_password2=new
    )
    person.password = new
    vars(person).pop("tokens", None)  # which the new password has ended
    return answer


def set_active(site, person, active):
    fields = {"username": person.name, "date_joined_0": "2026-01-01", "date_joined_1": "12:00"}
    fields |= {"is_active": "on"} if active else {}
    return site.admin.post(f"/admin/accounts/user/{person.id}/change/", **fields)


async def token_expires(site):
    """Two sockets are told that their token ends; one brings a new one in time and stays, one does not."""
    token, another = site.student.tokens["access"], site.mentor.tokens["access"]
    claims = jwt.decode(token, options={"verify_signature": False})
    claims["exp"] = int(time.time()) + 3
    short = jwt.encode(claims, site.project.dotenv()["SECRET_KEY"], "HS256")
    arguments = {"uri": address(site.url, PROBE), "subprotocols": ["bearer", short]}
    async with talk(**arguments) as careful, talk(**arguments) as careless:
        for socket in (careful, careless):
            await socket.frame("connection_established")
            assert 0 <= (await socket.frame("token_expiring"))["in"] <= 3
        busy = Busy(site.server)
        for wrong in (short + "x", another):
            assert (await careful.request("auth.refresh", token=wrong))["code"] == "not_allowed"
        assert (await careful.request("auth.refresh", token=token))["ok"]
        assert await careless.closed() == 4401
        assert 0 <= time.time() - claims["exp"] < busy.limit(AT_ONCE)
        await careful.ping()
