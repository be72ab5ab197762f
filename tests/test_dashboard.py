"""The dashboard: one process computes for all of them, until it dies; and the page in Chromium."""

import re
from contextlib import AsyncExitStack, closing

import psutil
import pytest
from playwright.sync_api import expect

from browser import OVERFLOW, expect_state, forgive, go_live
from client import Person
from follower import Follower
from serving import each, running
from variants import first, on_both

PATH, PAGE = "/ws/dashboard/", "/dashboard/"
SHARED = [
    first(server="granian", channel_layer="redis", auth="jwt", django_version="6.1"),  # sockets by ticket
    first(server="daphne", channel_layer="redis_queue", auth="session"),
]
ALONE = first(server="uvicorn", channel_layer="memory", auth="session_jwt", rest_api="drf")
COMPUTES = "this process computes the figures"
TAKES_OVER_WITHIN = 20  # seconds, on a busy machine; the lease lasts five
BACK_WITHIN = 30


class Dashboard(Follower):
    """Somebody who watches: `figures` is what a page would show."""

    def __init__(self, person):
        super().__init__(person, PATH)

    @property
    def figures(self):
        told = [frame["figures"] for frame in self.frames if "figures" in frame]
        return {name: value for figures in told for name, value in figures.items()}

    @property
    def kinds(self):
        return [frame["kind"] for frame in self.frames if frame["type"] == "dashboard_event"]

    async def shows(self, within=TAKES_OVER_WITHIN, **figures):
        await self.until(lambda: figures.items() <= self.figures.items(), within)


def people(server, variant):
    """The admin and the mentor at a server."""
    by = "jwt" if variant["auth"] == "jwt" else "session"
    return [Person(server.url, name, by) for name in ("admin", "mentor")]


def kill(server):
    """End a server as the kernel does when memory runs out: without a word."""
    processes = server.processes()
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=10)


# Two processes


@pytest.mark.parametrize("variant", each(SHARED))
async def test_one_computes_for_all_and_another_goes_on_when_it_dies(variant, installed):
    project = installed(variant)
    with running(project) as one, running(project) as other:
        admin, mentor = people(one, variant)
        with closing(admin), closing(mentor):
            async with AsyncExitStack() as stack:
                at_one = await stack.enter_async_context(Dashboard(admin))
                at_other = await stack.enter_async_context(Dashboard(mentor.at(other.url)))
                for dashboard in (at_one, at_other):
                    await dashboard.shows(sockets=2, users_online=2, processes=2)
                    assert dashboard.figures["users"] >= 3
                computes, waits = (one, other) if COMPUTES in one.output() else (other, one)
                assert COMPUTES not in waits.output()
                rest = at_other if computes is one else at_one
                kill(computes)
                await rest.shows(sockets=1, users_online=1, processes=1)
                assert waits.output().count(COMPUTES) == 1
                assert rest.codes == []  # nobody had to come back


@pytest.mark.parametrize("variant", each(SHARED[:1]))
async def test_it_goes_on_when_redis_was_away(variant, installed, valkey):
    project = installed(variant)
    with running(project) as one, running(project) as other:
        admin, mentor = people(one, variant)
        with closing(admin), closing(mentor):
            admin.browser, mentor.browser  # noqa: B018 (they log in)
            async with Dashboard(admin) as here, Dashboard(mentor.at(other.url)) as there:
                await here.shows(sockets=2)
                with valkey.killed():
                    one.wait_until_healthy(503)
                    assert admin.post(f"{PAGE}test/", message="while Redis was away").status_code == 302
                for dashboard in (here, there):
                    await dashboard.until(lambda each=dashboard: each.codes and each.connected, BACK_WITHIN)
                    await dashboard.until(lambda each=dashboard: "test" in each.kinds, BACK_WITHIN)
                    assert len(dashboard.ids) == len(set(dashboard.ids))
                    dashboard.frames.clear()
                # Computed anew, for what Redis knew is gone; and for those who come in between, too.
                async with Dashboard(admin) as late:
                    await late.shows(sockets=3, processes=2)
        for server in (one, other):
            assert "Traceback" not in server.output()


# The page


@pytest.fixture(scope="module")
def site(request, installed):
    project = installed(request.param)
    with running(project) as server:
        yield project, server


def figure(page, name):
    return page.locator(f"#figures [data-name={name}] .value")


def notify(project, kind, data):
    code = f"from dashboard.notify import notify_dashboard; notify_dashboard({kind!r}, {data!r})"
    project.manage("shell", "--command", code)


@pytest.mark.browser
@pytest.mark.parametrize("site", each([*on_both(SHARED[0]), ALONE]), indirect=True)
def test_the_page_is_live(site, log_in, complaints):
    project, _ = site
    student = log_in("student")
    expect(student.get_by_role("link", name="Dashboard")).to_have_count(0)
    student.goto(PAGE)
    expect(student.get_by_role("heading", name="Not allowed")).to_be_visible()
    forgive(complaints, "status of 403")
    student.close()
    mentor = log_in("mentor")
    mentor.get_by_role("navigation").get_by_role("link", name="Dashboard").click()
    expect_state(mentor, "connected")
    expect(figure(mentor, "users_online")).to_have_text("1")
    admin = log_in("admin")
    go_live(admin, PAGE)
    for page in (mentor, admin):
        expect(figure(page, "users_online")).to_have_text("2")

    notify(project, "submission_created", {"submission_id": 7, "by": "<b>student</b>"})
    newest = admin.locator("#events > li").first
    expect(newest).to_contain_text("submission created")
    expect(newest).to_contain_text("<b>student</b>")
    mentor.get_by_role("button", name="Send a test event").click()
    expect(newest).to_contain_text("It works")
    expect(newest.get_by_role("definition").last).to_have_text("mentor")

    admin.get_by_role("button", name="Sockets").click()
    expect(admin.get_by_role("heading", name="sockets")).to_be_visible()
    expect(admin.locator("#chart .line")).to_have_attribute("d", re.compile(r"^M.*H600$"))
    expect(admin.get_by_role("img", name="sockets, since 1 minute ago: ")).to_be_visible()
    mentor.goto("/accounts/password_change/")  # where nothing is live
    expect(figure(admin, "users_online")).to_have_text("1")
    admin.set_viewport_size({"width": 390, "height": 780})
    assert admin.evaluate(OVERFLOW) == 0


@pytest.mark.browser
@pytest.mark.parametrize("site", each(on_both(ALONE)), indirect=True)
def test_who_is_a_mentor_no_longer_is_shown_out(site, log_in):
    project, _ = site
    mentor = log_in("mentor")
    go_live(mentor, PAGE)
    change = "from django.contrib.auth.models import Group; from accounts.models import User; "
    change += "Group.objects.get(name='Mentors').user_set.{}(User.objects.get(username='mentor'))"
    project.manage("shell", "--command", change.format("remove"))
    try:
        expect_state(mentor, "closed")
        expect(mentor.locator("#state")).to_have_text("This is for admins and mentors.")
    finally:
        project.manage("shell", "--command", change.format("add"))
