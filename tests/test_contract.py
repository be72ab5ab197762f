"""What holds on every server, channel layer and authentication: a conversation with each, over sockets."""

import asyncio
import json
import shutil
import statistics
import time
from contextlib import AsyncExitStack, ExitStack, closing, suppress
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import httpx
import jwt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from client import Person, address, talk
from serving import each, running
from variants import BOOTED

# (server, point) -> what that server cannot do, as the README of its projects says.
EXCEPTIONS = {}

ROOM, NOTIFICATIONS, PROBE = "/ws/rooms/{}/", "/ws/notifications/", "/ws/probe/"
IDLE = 12  # seconds
AT_ONCE = 1  # seconds
SOON = 0.1  # seconds, for a ping while others keep the server busy
serial = count(1)


class Site:
    """A variant that is being served, and who uses it."""

    def __init__(self, project, server):
        self.project, self.server, self.url = project, server, server.url
        self.variant = project.variant
        self.has_sessions = self.variant["auth"] != "jwt"
        self.has_tokens = self.variant["auth"] != "session"
        self.has_redis = self.variant["channel_layer"] != "memory"
        self.student, self.mentor, self.admin = map(self.person, ("student", "mentor", "admin"))
        if self.variant["auth"] == "session_jwt":
            self.mentor.by = "jwt"

    def person(self, username, **options):
        return Person(self.url, username, "session" if self.has_sessions else "jwt", **options)

    def new_room(self):
        """Make a room in which nobody has been; return its path."""
        slug = f"room-{next(serial)}"
        answer = self.student.post("/rooms/", name=slug, slug=slug)
        assert answer.status_code == 302, answer.text
        return ROOM.format(slug)

    def cleanups(self, run):
        """Return what the probe's sockets of a run wrote when they were gone, a line each."""
        file = self.project.folder / "closed.txt"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [line for line in lines if line.startswith(f"{urlencode({'run': run})} ")]

    def health(self):
        return httpx.get(f"{self.url}/api/health/", timeout=10)

    def is_healthy_again(self):
        """Ask briefly: what waits for an event from before the restart would hold up the next question."""
        with suppress(httpx.ReadTimeout):
            return httpx.get(f"{self.url}/api/health/", timeout=1).status_code == 200

    def exception(self, point):
        return EXCEPTIONS.get((self.variant["server"], point))


@pytest.fixture(scope="module", params=each(BOOTED))
def served(request, installed):
    """A variant with the probe, served for all the tests of this module; two sockets are idle from now on."""
    project = installed(request.param)
    add_probe(project)
    with running(project, WS_MAX_SOCKETS_PER_USER="1000") as server, ExitStack() as stack:
        site = Site(project, server)
        for person in (site.student, site.mentor, site.admin):
            stack.callback(person.close)
        site.idle_room = site.new_room()
        site.idle_sockets = [
            stack.enter_context(connect(**site.admin.address(path), open_timeout=60))
            for path in (site.idle_room, NOTIFICATIONS)
        ]
        for socket in site.idle_sockets:
            assert json.loads(socket.recv(10))["type"] == "connection_established"
        site.idle_since = time.monotonic()
        yield site


@pytest.fixture
def site(served):
    """The variant; what its server writes during the test is shown if the test fails."""
    served.start = len(served.server.output())
    yield served
    print(served.server.output()[served.start :][-6000:])


def add_probe(project):
    """Write the probe into the project, and its address before the last one, which takes all that is left."""
    shutil.copy(Path(__file__).with_name("probe.py"), project.folder)
    routing = project.folder / "config/routing.py"
    text = routing.read_text(encoding="utf-8")
    before, last = text.split('    re_path("", NoSuchSocket')
    route = '    path("ws/probe/", import_string("probe.ProbeConsumer").as_asgi()),\n'
    text = f'{before}{route}    re_path("", NoSuchSocket{last}'
    helper = "from django.utils.module_loading import import_string\n"
    routing.write_text(helper + text, encoding="utf-8")


def test_c01_health_names_what_it_checked(site):
    answer = site.health()
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "healthy",
        "container_type": "asgi",
        "async_enabled": True,
        "checks": {"database": "ok", "cache": "ok", "channels": "ok"},
    }


async def test_c02_only_those_who_prove_who_they_are_come_in(site):
    """A refusal is a close with 4401 after accept, which a browser can read; a foreign page gets a 403."""
    student, url = site.student, site.url
    refused = [{"uri": address(url, NOTIFICATIONS), "origin": url}]
    refused += [{"uri": address(url, NOTIFICATIONS, ticket="made-up"), "origin": url}]
    refused += [refused[0] | {"additional_headers": {"Cookie": "sessionid=madeup"}}]
    refused += [refused[0] | {"subprotocols": ["bearer", "made.up.token"]}]
    used = student.address(NOTIFICATIONS, by="ticket")
    welcome = [used, student.address(NOTIFICATIONS, by="ticket", origin=None)]
    with_cookie = student.address(NOTIFICATIONS, by="session")
    if site.has_sessions:
        welcome += [with_cookie]
        refused += [student.address(NOTIFICATIONS, by="session", origin=None)]
    else:
        refused += [with_cookie]
    if site.has_tokens:
        token = student.tokens["access"]
        welcome += [student.address(NOTIFICATIONS, by="jwt", origin=origin) for origin in (url, None)]
        refused += [{"uri": address(url, NOTIFICATIONS, token=token), "origin": url}]
        refused += [refused[0] | {"subprotocols": ["bearer", token[:-4] + "AAAA"]}]
        refused += [refused[0] | {"subprotocols": ["bearer", student.tokens["refresh"]]}]

    for arguments in welcome:
        async with talk(**arguments) as socket:
            assert (await socket.frame())["type"] == "connection_established", arguments
            assert socket.socket.subprotocol == ("bearer" if "subprotocols" in arguments else None)
    for arguments in (*refused, used):
        async with talk(**arguments) as socket:
            assert await socket.closed() == 4401, arguments
            assert not socket.unread
    for arguments in welcome:
        with pytest.raises(InvalidStatus) as refusal:
            async with talk(**arguments | {"origin": "https://elsewhere.example"}):
                pass
        assert refusal.value.response.status_code == 403
    for path, code in ((ROOM.format("no-such-room"), 4404), ("/ws/nowhere/", 4404)):
        async with student.open(path) as socket:
            assert await socket.closed() == code


async def test_c03_people_meet_in_a_room(site):
    room = site.new_room()
    async with AsyncExitStack() as stack:
        student = await stack.enter_async_context(site.student.open(room))
        assert (await student.frame())["present"] == [{"id": 3, "username": "student"}]
        await student.send("chat_message", message="Is anybody here?")
        await student.frame("chat_message")  # so what was said before it, that the student joined, is over
        admin = await stack.enter_async_context(site.admin.open(room))
        assert len((await admin.frame())["present"]) == 2
        assert (await student.frame())["user"]["username"] == "admin"
        async with site.mentor.open(room) as mentor:
            hello = await mentor.frame()
            me = hello["user"]
            assert me["username"] == "mentor"
            assert sorted(user["username"] for user in hello["present"]) == ["admin", "mentor", "student"]
            assert await student.frame() == {"type": "presence", "event": "join", "user": me}
            assert await admin.frame() == {"type": "presence", "event": "join", "user": me}

            reply = await student.request("chat_message", message="Hello")
            said = [await socket.frame("chat_message") for socket in (student, mentor, admin)]
            assert reply == {"type": "reply", "id": 1, "ok": True, "message_id": said[0]["message_id"]}
            assert said[0] == said[1] == said[2]
            assert said[0]["message"] == "Hello"
            assert said[0]["sender"] == {"id": 3, "username": "student"}

            await mentor.send("typing", active=True)
            for socket in (student, admin):
                assert await socket.frame() == {"type": "typing", "active": True, "user": me}

            signal = {"sdp": "v=0\r\n" * 100}
            answer = await student.request("webrtc_signal", to=me["id"], signal=signal)
            assert answer == {"type": "reply", "id": 2, "ok": True}
            assert await mentor.frame() == {"type": "webrtc_signal", "from": 3, "signal": signal}
            await mentor.request("webrtc_signal", signal={"ice": 1})
            await mentor.request("chat_message", message="Here")
            for socket in (student, admin):  # so admin did not see the signal that was not for admin
                assert await socket.frame() == {
                    "type": "webrtc_signal",
                    "from": me["id"],
                    "signal": {"ice": 1},
                }
                assert (await socket.frame())["message"] == "Here"
        for socket in (student, admin):
            assert await socket.frame() == {"type": "presence", "event": "leave", "user": me}
        assert not student.unread
        assert not admin.unread


BAD_FRAMES = [
    (b"\x00\xff", "unsupported_data", None),
    ("{", "invalid_json", None),
    ("", "invalid_json", None),
    ('{"type": "chat_message", "message": "\\ud800"}', "invalid_json", None),
    ("[1]", "invalid_message", None),
    ("null", "invalid_message", None),
    ('{"message": "x", "id": 1}', "invalid_message", 1),
    ('{"type": 5, "id": "a"}', "invalid_message", "a"),
    ('{"type": "no_such", "id": 2}', "unknown_type", 2),
    ('{"type": "chat_message", "message": 5, "id": 3}', "invalid_message", 3),
    ('{"type": "chat_message", "message": "", "id": 4}', "invalid_message", 4),
    ('{"type": "chat_message", "id": 5}', "invalid_message", 5),
    ("[" * 30_000, "invalid_message", None),
    (
        '{"type": "webrtc_signal", "signal": {"a":' + "[" * 32_000 + "]" * 32_000 + "}}",
        "invalid_message",
        None,
    ),
]


async def test_c04_bad_frames_are_answered_and_the_socket_stays_usable(site):
    async with site.student.open(site.new_room()) as socket:
        await socket.frame("connection_established")
        for frame, code, id in BAD_FRAMES:
            await socket.socket.send(frame)
            error = await socket.frame()
            assert (error["type"], error["code"], error.get("id")) == ("error", code, id), (frame[:80], error)
            assert error["detail"]
            assert "Traceback" not in error["detail"]
            await socket.ping()
        assert (await socket.request("chat_message", message="Still here"))["ok"]


async def test_c05_a_frame_of_10_mib_is_refused_with_1009(site):
    """Whole or in fragments. Once the server is warm, 80 MiB of them leave it less than 20 MiB bigger."""

    async def send(message):
        async with site.student.open(NOTIFICATIONS) as socket:
            await socket.frame("connection_established")
            with suppress(ConnectionClosed):
                await socket.socket.send(message)
            return await socket.closed()

    async def send_eight():
        for _ in range(4):
            assert await send(whole) == 1009
            # Who goes on with the next fragment after the refusal may find the connection reset.
            assert await send([half] * 256) in (1009, 1006)

    half, whole = "x" * 40_000, "x" * (10 * 2**20)
    assert await send([half, half]) == 1009
    await send_eight()
    before = site.server.memory()
    await send_eight()
    assert site.server.memory() - before < 20
    assert site.health().status_code == 200


PING = b'{"type": "ping"}'
FLOOD = (bytes([0x81, 0x80 | len(PING)]) + bytes(4) + PING) * 400  # frames of RFC 6455, masked with zeros


async def test_c06_a_flood_is_stopped_and_harms_nobody_else(site):
    """Ten clients send hundreds of frames at once, for a second, and come back each time they are put out.

    The median of another socket's pings is under 100 ms; single ones may wait for other work on the machine.
    """
    flooder = make_user(site)  # who has no allowance left afterwards
    async with flooder.open(PROBE) as socket:  # a client that reads each answer before it goes on
        await socket.frame("connection_established")
        told = []
        with suppress(ConnectionClosed):
            while len(told) < 2000:
                await socket.send("ping")
                told.append(await socket.frame())
        assert await socket.closed() == 4429
        assert {frame.get("code") for frame in told} == {None, "rate_limited"}

    async def flood(end):
        while time.monotonic() < end:
            async with flooder.open(PROBE) as socket:
                socket.socket.transport.write(FLOOD)
                # Who goes on sending may find the connection reset before the close frame is read.
                assert await socket.closed() in (4429, 1006)

    async with site.mentor.open(PROBE) as bystander:
        await bystander.frame("connection_established")
        floods = asyncio.gather(*(flood(time.monotonic() + 1) for _ in range(10)))
        waits = []
        while not floods.done():
            waits.append(await bystander.ping())
            await asyncio.sleep(0.025)
        await floods
        assert statistics.median(waits) < SOON, waits
        await bystander.ping()
    flooder.close()


async def test_c07_cleanup_runs_however_a_socket_ends(site):
    async with site.student.open(PROBE, run="after an exception") as socket:
        await socket.frame("connection_established")
        error = await socket.request("explode")
        assert (error["type"], error["code"]) == ("error", "internal_error")
        assert "exploded" not in error["detail"]
        log = site.server.output()[site.start :]
        assert "Traceback" in log
        assert "ArithmeticError: the probe exploded" in log
        await socket.ping()
    await until(lambda: len(site.cleanups("after an exception")) == 1)

    async with site.student.open(PROBE, run="killed") as socket:
        await socket.frame("connection_established")
        await socket.send("explode")
        socket.socket.transport.abort()
    await until(lambda: len(site.cleanups("killed")) == 1)

    room = site.new_room()
    async with site.mentor.open(room) as mentor:
        await mentor.frame("connection_established")
        async with site.student.open(room) as student:
            assert (await mentor.frame())["event"] == "join"
            student.socket.transport.abort()
        assert (await mentor.frame())["event"] == "leave"


async def until(condition, within=5):
    """Wait until a condition holds, at most `within` seconds; return how long it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < within, f"not so within {within} s"
        await asyncio.sleep(0.02)
    return time.monotonic() - start


async def test_c09_an_event_from_another_process_arrives(site):
    """With the memory layer it cannot; the command says so, and it waits for the next connection."""
    async with site.mentor.open(NOTIFICATIONS) as socket:
        me = (await socket.frame("connection_established"))["user"]["id"]
        command = ("send_test_notification", "--user-id", str(me), "--message", "from afar")
        output = await asyncio.to_thread(site.project.manage, *command, fails=not site.has_redis)
        if site.has_redis:
            notice = await socket.frame()
            assert notice["type"] == "notification"
            assert notice["data"] == {"message": "from afar"}
            assert (await socket.request("mark_read", notification_id=notice["notification_id"]))["ok"]
        else:
            assert "the in-memory channel layer does not reach other processes" in output
            await socket.ping()
            assert not socket.unread
    if not site.has_redis:
        async with site.mentor.open(NOTIFICATIONS) as socket:
            assert (await socket.frame())["unread"] == 1
            assert (await socket.frame())["data"] == {"message": "from afar"}


async def test_c10_sigterm_sends_everyone_away_and_cleans_up(site):
    code = 4012 if site.variant["server"] == "daphne" else 1012
    with running(site.project) as server:
        people = [person.at(server.url) for person in (site.student, site.mentor)] * 25
        async with AsyncExitStack() as stack:
            opened = (stack.enter_async_context(person.open(PROBE, run="drained")) for person in people)
            sockets = [await socket for socket in opened]
            for socket in sockets:
                await socket.frame("connection_established")
            start = time.monotonic()
            server.terminate()
            codes = await asyncio.gather(*(socket.closed() for socket in sockets))
            await until(lambda: server.process.poll() is not None, 10)
            assert time.monotonic() - start < 10
        assert set(codes) == {code}
        frames = [list(socket.unread) for socket in sockets]
        assert all(len(own) == 1 and own[0]["type"] == "reconnect" for own in frames), frames[:3]
        assert len({own[0]["after"] for own in frames}) > 25
        assert len(site.cleanups("drained")) == 50


async def test_c11_slow_queries_run_beside_each_other(site):
    """Ten of 0.3 s take under a second together; the median of the pings meanwhile is under 100 ms."""
    async with AsyncExitStack() as stack:
        *sockets, bystander = [await stack.enter_async_context(site.student.open(PROBE)) for _ in range(11)]
        for socket in (*sockets, bystander):
            await socket.frame("connection_established")
        start = time.monotonic()
        queries = asyncio.gather(*(socket.request("slow_query", seconds=0.3) for socket in sockets))
        waits = []
        while not queries.done():
            waits.append(await bystander.ping())
            await asyncio.sleep(0.02)
        assert time.monotonic() - start < 1
        assert all(answer["ok"] and answer["users"] >= 3 for answer in await queries)
        assert statistics.median(waits) < SOON, waits


async def test_c13_a_login_that_ends_closes_its_sockets(site):
    """A token expires; a user logs out, changes the password, is deactivated, is deleted elsewhere."""
    async with asyncio.TaskGroup() as tasks:
        if site.has_tokens:  # beside the rest, since for seconds it only waits
            tasks.create_task(asyncio.to_thread(asyncio.run, token_expires(site)))
        await logins_end(site)


async def logins_end(site):
    with closing(make_user(site)) as leaver:
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
        if site.has_redis:
            set_active(site, leaver, True)
            script = f"from accounts.models import User; User.objects.get(pk={leaver.id}).delete()"
            await put_out(site, leaver, lambda: site.project.manage("shell", "-c", script))


async def put_out(site, person, act):
    """Open sockets, act: each is closed within a second after."""
    proofs = [by for by, there in (("session", site.has_sessions), ("jwt", site.has_tokens)) if there]
    room = site.new_room()
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(person.open(path, by=by))
            for path in (room, NOTIFICATIONS)
            for by in (*proofs, "ticket")
        ]
        for socket in sockets:
            await socket.frame("connection_established")
        answer = await asyncio.to_thread(act)
        assert isinstance(answer, str) or answer.status_code in (200, 302), answer.text
        start = time.monotonic()
        assert {await socket.closed() for socket in sockets} == {4401}
        assert time.monotonic() - start < AT_ONCE


async def put_out_elsewhere(site, person):
    """A logout in one process closes a socket in another within a second, too."""
    with running(site.project) as other:
        async with person.at(other.url).open(NOTIFICATIONS) as socket:
            await socket.frame("connection_established")
            await asyncio.to_thread(person.post, "/accounts/logout/")
            start = time.monotonic()
            assert await socket.closed() == 4401
            assert time.monotonic() - start < AT_ONCE
    person.close()


def make_user(site):
    """Make a user in the admin; return the person."""
    user = f"user-{next(serial)}"
    person = site.person(user)
    password = {"password1": person.password, "password2": person.password, "usable_password": "true"}
    answer = site.admin.post("/admin/accounts/user/add/", username=user, **password)
    assert answer.status_code == 302, answer.text
    person.id = int(answer.headers["location"].split("/")[-3])
    return person


def change_password(person, new):
    answer = person.post(
        "/accounts/password_change/", old_password=person.password, new_password1=new, new_password2=new
    )
    person.password = new
    vars(person).pop("tokens", None)  # which the new password has ended
    return answer


def set_active(site, person, active):
    fields = {
        "username": person.name,
        "date_joined_0": "2026-01-01",
        "date_joined_1": "12:00",
        "role": "student",
    }
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
        for wrong in (short + "x", another):
            assert (await careful.request("auth.refresh", token=wrong))["code"] == "not_allowed"
        assert (await careful.request("auth.refresh", token=token))["ok"]
        assert await careless.closed() == 4401
        assert 0 <= time.time() - claims["exp"] < AT_ONCE
        await careful.ping()


async def test_c14_500_handshakes_at_once_succeed(site):
    room = site.new_room()
    arguments = [site.student.address(room), site.mentor.address(room)]
    async with AsyncExitStack() as stack:
        entered = (stack.enter_async_context(talk(**arguments[number % 2])) for number in range(500))
        sockets = await asyncio.gather(*entered)
        first = await asyncio.gather(*(socket.frame("connection_established", 30) for socket in sockets))
        assert len({frame["user"]["id"] for frame in first}) == 2
        await sockets[0].request("chat_message", message="All here?")
        said = await asyncio.gather(*(socket.frame("chat_message") for socket in sockets))
        assert {frame["message"] for frame in said} == {"All here?"}


async def test_c15_who_comes_back_gets_what_was_missed(site):
    """Once each and in order, also while others go on talking and the client catches up."""
    room = site.new_room()

    async def talk_on(socket, numbers):
        for number in numbers:
            assert (await socket.request("chat_message", message=str(number)))["ok"]

    async with site.student.open(room) as student:
        async with site.mentor.open(room) as mentor:
            await mentor.frame("connection_established")
            await talk_on(student, range(3))
            seen = [await mentor.frame("chat_message") for _ in range(3)]
        await talk_on(student, range(3, 20))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(talk_on(student, range(20, 40)))
            await student.frame("chat_message")
            async with site.mentor.open(room, since=seen[1]["message_id"]) as mentor:
                caught_up = [await mentor.frame("chat_message") for _ in range(38)]
                await mentor.ping()
                assert not [frame for frame in mentor.unread if frame["type"] == "chat_message"]
    assert [frame["message"] for frame in caught_up] == [str(number) for number in range(2, 40)]

    for _ in range(3):
        site.mentor.post("/notifications/test/")
    async with site.mentor.open(NOTIFICATIONS) as socket:
        unread = (await socket.frame("connection_established"))["unread"]
        missed = [(await socket.frame("notification"))["notification_id"] for _ in range(unread)]
    async with site.mentor.open(NOTIFICATIONS, since=missed[-3]) as socket:
        await socket.frame("connection_established")
        site.mentor.post("/notifications/test/")
        again = [(await socket.frame("notification"))["notification_id"] for _ in range(3)]
    assert again[:2] == missed[-2:]
    assert again[2] > again[1]


async def test_c08_an_event_reaches_a_socket_that_was_idle(site):
    """The idle sockets were opened with the server; this test stands here so that others ran meanwhile."""
    await asyncio.sleep(site.idle_since + IDLE - time.monotonic())
    room, notifications = site.idle_sockets
    async with site.student.open(site.idle_room) as student:
        assert json.loads(await asyncio.to_thread(room.recv, 5))["event"] == "join"
        await student.request("chat_message", message="Anyone?")
        assert json.loads(await asyncio.to_thread(room.recv, 5))["message"] == "Anyone?"
    site.admin.post("/notifications/test/")
    assert json.loads(await asyncio.to_thread(notifications.recv, 5))["type"] == "notification"


async def test_c12_sockets_outlive_a_restart_of_redis(site, valkey):
    """While it is away they stay; when it is back their clients come back, too, for what they missed.

    The last test, since it takes away what the others need. Without Redis there is nothing to restart.
    """
    room = site.new_room()
    people = ((site.student, room), (site.mentor, room), (site.mentor, NOTIFICATIONS))
    async with AsyncExitStack() as stack:
        sockets = [await come_in(stack, *person) for person in people]
        if site.has_redis:
            valkey.kill()
            try:
                await until(lambda: site.health().status_code == 503, 10)
                for socket in sockets:
                    await socket.ping()
            finally:
                valkey.start()
            code = 4012 if site.variant["server"] == "daphne" else 1012
            assert {await socket.closed(within=15) for socket in sockets} == {code}
            assert all(socket.unread[-1]["type"] == "reconnect" for socket in sockets)
            await until(site.is_healthy_again, 15)
            sockets = [await come_in(stack, *person) for person in people]
        student, mentor, notified = sockets
        assert (await student.request("chat_message", message="Back?"))["ok"]
        assert (await mentor.frame("chat_message"))["message"] == "Back?"
        site.mentor.post("/notifications/test/")
        await notified.frame("notification")


async def come_in(stack, person, path):
    """Open a socket, at the second or third try if the server is not ready yet."""
    for _ in range(5):
        socket = await stack.enter_async_context(person.open(path))
        with suppress(ConnectionClosed):
            await socket.frame("connection_established")
            return socket
        await asyncio.sleep(0.5)
    raise AssertionError(f"{person.name} is not let in")
