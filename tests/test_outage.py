"""Redis hangs, dies, or vanishes: sockets go on, and in the end nobody has missed anything."""

import asyncio
import re
import statistics
import time
from asyncio import FIRST_COMPLETED
from contextlib import AsyncExitStack, suppress
from types import SimpleNamespace

import httpx
import pytest

from busy import Busy
from client import Person
from conversation import NOTIFICATIONS, new_room
from follower import LONGEST_DELAY, Follower, missed_nothing, say, stored
from serving import each, running
from silence import line
from variants import BOOTED

PLACES = [("uvicorn", "redis"), ("daphne", "redis_queue")]
VARIANTS = [v for v in BOOTED if (v["server"], v["channel_layer"]) in PLACES and v["auth"] == "session"]
STOPPED = {"uvicorn": 20, "daphne": 10}  # seconds
KILLED = CUT = 5  # seconds, more than anyone tries to send an event again without a pause
NOTICED_WITHIN, BACK_WITHIN = 10, 15  # seconds


@pytest.fixture(scope="module", params=each(VARIANTS))
def served(request, installed, valkey):
    """A project served by two processes, the other one with a line to Redis that may fail."""
    project = installed(request.param)
    revocation = project.folder / "realtime/revocation.py"
    before = revocation.read_text(encoding="utf-8")
    quick = re.sub(r"^REVIEW_SECONDS = \d+", "REVIEW_SECONDS = 2", before, flags=re.MULTILINE)
    revocation.write_text(quick, encoding="utf-8")
    try:
        with line(valkey.server.port) as way:
            url = project.dotenv()["REDIS_URL"].replace(f":{valkey.server.port}/", f":{way.port}/")
            with running(project) as one, running(project, REDIS_URL=url) as other:
                yield SimpleNamespace(project=project, one=one, other=other, line=way)
    finally:
        revocation.write_text(before, encoding="utf-8")


@pytest.fixture
async def site(served):
    """The two processes, healthy, and the demo users at the first; shows what is logged if the test fails."""
    servers = (served.one, served.other)
    for server in servers:
        await health(server, 200, BACK_WITHIN)
    starts = [len(server.output()) for server in servers]
    codes = (4012, 4013) if served.project.variant["server"] == "daphne" else (1012, 1013)
    served.restart, served.try_again = codes
    served.student, served.mentor, served.admin = persons = [
        Person(served.one.url, name, "session") for name in ("student", "mentor", "admin")
    ]
    yield served
    for person in persons:
        person.close()
    for server, start in zip(servers, starts, strict=True):
        log = [line for line in server.output()[start:].splitlines() if "/api/health/" not in line]
        print(f"--- {server.url}", *log[-60:], sep="\n")


async def in_rooms(stack, *persons_at):
    """Let these persons follow these paths until the stack ends."""
    return [await stack.enter_async_context(Follower(person, path)) for person, path in persons_at]


async def repeat(action, every, seconds):
    """Do something every so many seconds, for a while; return how long it took each time."""
    times, end = [], time.monotonic() + seconds
    while (start := time.monotonic()) < end:
        await action()
        times.append(time.monotonic() - start)
        await asyncio.sleep(max(0, every - times[-1]))
    return times


async def health(server, status, within):
    """Ask until health answers with that status; return the seconds."""
    start = time.monotonic()
    async with httpx.AsyncClient(base_url=server.url, timeout=within) as client:
        while (left := start + within - time.monotonic()) > 0:
            with suppress(httpx.TimeoutException):
                if (await client.get("/api/health/", timeout=left)).status_code == status:
                    return time.monotonic() - start
            await asyncio.sleep(0.2)
    raise AssertionError(f"health is not {status} within {within:.0f} s")


async def post(person, url):
    """Submit a form without fields, with the cookies that the person has now; they stay as they are."""
    browser = person.browser
    data = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    async with httpx.AsyncClient(cookies=browser.cookies, timeout=30) as client:
        answer = await client.post(url, data=data)
    assert answer.status_code in (200, 302), answer.text


def came_back_when_told(followers, code):
    for follower in followers:
        assert set(follower.codes) <= {code}, follower
        assert follower.told == len(follower.codes), follower


async def test_a_redis_that_hangs_holds_nobody_up(site, valkey):
    student, mentor = site.student, site.mentor
    room, said, refusals = new_room(student), [], []
    places = [(person, path) for person in (student, mentor) for path in (room, NOTIFICATIONS)]

    async def chat():
        said.append(await say(speaker))

    async def notice():
        await post(student, f"{site.one.url}/notifications/test/")

    async def enter():
        await health(site.one, 503, NOTICED_WITHIN)
        for person, path in places:
            async with person.open(path) as talk:
                refusals.append(await talk.closed(within=5))
                assert not talk.unread

    async with AsyncExitStack() as stack:
        followers = listener, own, speaker, _ = await in_rooms(stack, *places)
        seconds = STOPPED[site.project.variant["server"]]
        busy = Busy(site.one)
        with valkey.stopped():
            *pings, chats, notices, _ = await asyncio.gather(
                repeat(listener.ping, 0.2, seconds),
                repeat(own.ping, 0.2, seconds),
                repeat(chat, 1, seconds),
                repeat(notice, 1, seconds),
                enter(),
            )
            second = busy.limit(1)
            assert all(follower.connected and not follower.codes for follower in followers)
        await health(site.one, 200, BACK_WITHIN)
        ids = await missed_nothing(followers)
        assert ids[room] == said
        came_back_when_told(followers, site.restart)
        last = await say(speaker)
        await listener.until(lambda: listener.ids[-1] == last, within=5)
        await missed_nothing(followers)

    assert refusals == [site.try_again] * 4
    for times in pings:
        assert sum(time >= second for time in times) <= 1, times
        assert max(times) < 2.5 * second
        assert statistics.median(times) < 0.2 * second
    assert chats[0] < 4 * second
    assert max(chats[1:]) < second
    assert max(notices) < second
    assert statistics.median(notices) < 0.3 * second


async def test_a_redis_that_comes_back_empty_costs_nobody_anything(site, valkey):
    """Who was put out meanwhile is out."""
    student, mentor, admin = site.student, site.mentor, site.admin
    room = new_room(student)
    places = [(person, path) for person in (student, mentor, admin) for path in (room, NOTIFICATIONS)]

    async def go_on():
        await say(stay[0])
        await post(student, f"{site.one.url}/notifications/test/")

    async with AsyncExitStack() as stack:
        followers = await in_rooms(stack, *places)
        stay, out = followers[:2], followers[2:]
        try:
            with valkey.killed():
                await health(site.one, 503, NOTICED_WITHIN)
                await post(admin, f"{site.one.url}/accounts/logout/")
                await deactivate(site.project, mentor)
                await repeat(go_on, 1, KILLED)
            await health(site.one, 200, BACK_WITHIN)
            for follower in out:  # each tries twice, after waits that grew while nobody was let in
                ended = BACK_WITHIN + 2 * LONGEST_DELAY
                await follower.until(lambda follower=follower: follower.ended == 4401, ended)
            said = await say(stay[0])
            assert (await missed_nothing(stay))[room][-1] == said
            came_back_when_told(stay, site.restart)
        finally:
            await deactivate(site.project, mentor, False)


async def deactivate(project, person, undo=True):
    """Set `is_active` by a query, which sends no signal."""
    code = "from django.contrib.auth import get_user_model as model\n"
    code += f"model().objects.filter(username={person.name!r}).update(is_active={not undo})"
    await asyncio.to_thread(project.manage, "shell", "-v", "0", "-c", code)


async def test_a_user_deactivated_by_a_query_is_put_out(site):
    student, mentor = site.student, site.mentor
    there = mentor.at(site.other.url)
    async with AsyncExitStack() as stack:
        places = [(mentor, NOTIFICATIONS), (there, NOTIFICATIONS), (student, NOTIFICATIONS)]
        *out, stay = await in_rooms(stack, *places)
        try:
            await deactivate(site.project, mentor)
            for follower in out:
                await follower.until(lambda follower=follower: follower.ended == 4401, within=10)
            assert stay.connected
            assert not stay.codes
        finally:
            await deactivate(site.project, mentor, False)


async def test_connections_to_redis_that_go_silent_are_noticed_and_replaced(site):
    """As when the host vanishes: nothing says that a connection has ended. New ones work."""
    student, mentor = site.student.at(site.other.url), site.mentor.at(site.other.url)
    room = new_room(site.student)
    async with AsyncExitStack() as stack:
        followers = listener, speaker, elsewhere = await in_rooms(
            stack, (student, room), (mentor, room), (site.student, room)
        )

        async def recovered():
            said = await say(speaker, within=40)
            await listener.until(lambda: said in listener.ids, within=40)

        site.line.go_silent()
        start = time.monotonic()
        async with asyncio.TaskGroup() as group:
            recovery = group.create_task(recovered())
            notice = group.create_task(health(site.other, 503, within=40))
            done, _ = await asyncio.wait((recovery, notice), timeout=15, return_when=FIRST_COMPLETED)
            assert done, "nobody noticed"
            await recovery
            notice.cancel()
        await health(site.other, 200, 40 - (time.monotonic() - start))
        said = await say(speaker)
        await missed_nothing(followers, 40 - (time.monotonic() - start))
        assert listener.ids[-1] == elsewhere.ids[-1] == said
        came_back_when_told(followers, site.restart)
        for follower in (elsewhere, listener):  # nobody is deaf, in either direction
            said = await say(follower)
            for member in followers:
                await member.until(lambda member=member, id=said: member.ids[-1] == id, within=5)
        await missed_nothing(followers)
        assert await busy(site.other) < 50


async def busy(server, seconds=2):
    """Return how busy a server keeps the processor, in percent."""
    processes = server.processes()
    for process in processes:
        process.cpu_percent()
    await asyncio.sleep(seconds)
    return sum(process.cpu_percent() for process in processes)


async def test_what_a_process_says_without_redis_reaches_the_others_later(site):
    student, mentor = site.student, site.mentor

    async def notice():
        await post(mentor, f"{site.other.url}/notifications/test/")

    async with AsyncExitStack() as stack:
        out, stay, there = await in_rooms(
            stack,
            (student, NOTIFICATIONS),
            (mentor, NOTIFICATIONS),
            (mentor.at(site.other.url), NOTIFICATIONS),
        )
        before = len(await stored(mentor, NOTIFICATIONS))
        site.line.cut()
        try:
            await health(site.other, 503, NOTICED_WITHIN)
            await post(student, f"{site.other.url}/accounts/logout/")
            posted = len(await repeat(notice, 1, CUT))
        finally:
            site.line.mend()
        await health(site.other, 200, BACK_WITHIN)
        await out.until(lambda: out.ended == 4401, BACK_WITHIN)
        ids = await missed_nothing([stay, there])
        assert len(ids[NOTIFICATIONS]) == before + posted
        came_back_when_told([stay, there], site.restart)
