"""`/admin/channels/`: the staff sees the sockets of two processes in Chromium, and disconnects people."""

import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from browser import LOBBY, NOTIFICATIONS, OVERFLOW, expect_state, forgive, go_live
from serving import each, running
from variants import first

pytestmark = pytest.mark.browser

SHARED = first(server="granian", channel_layer="redis", auth="jwt", django_version="6.1")  # sockets by ticket
ALONE = first(server="uvicorn", channel_layer="memory", auth="session_jwt", rest_api="drf")


@pytest.fixture(scope="module")
def site(request, installed):
    """A project, and a process of it that serves the pages."""
    project = installed(request.param)
    with running(project) as server:
        yield project, server


@pytest.fixture(scope="module")
def other(site):
    """Another process of the same project."""
    with running(site[0]) as server:
        yield server


@pytest.fixture
def watch(log_in):
    """Return a function that opens the page as the admin."""

    def watch(path="/admin/channels/"):
        page = log_in("admin")
        page.goto(path)
        return page

    return watch


@contextmanager
def suspended(server):
    for process in server.processes():
        process.suspend()
    try:
        yield
    finally:
        for process in server.processes():
            process.resume()


def sockets(page):
    return page.locator("#sockets tr")


def processes(page):
    return page.locator("#processes .state")


def disconnect(page, whom, choice):
    page.get_by_role("button", name=f"Disconnect {whom}").first.click()
    page.get_by_role("button", name=choice).click()


@pytest.mark.parametrize("site", each([SHARED]), indirect=True)
def test_the_staff_disconnects_people_at_two_processes(site, other, log_in, watch):
    student, mentor = log_in("student"), log_in("mentor", other)
    room = mentor.context.new_page()
    go_live(student, LOBBY)
    go_live(mentor, NOTIFICATIONS)
    go_live(room, LOBBY)

    page = watch("/admin/")
    page.get_by_role("link", name="Channels").click()
    expect(processes(page)).to_have_text(["serving"] * 2)
    expect(page.locator("#count")).to_have_text("4 sockets in 2 processes")
    page.get_by_role("button", name="User").click()
    users = sockets(page).locator("[data-field=user]")
    expect(users).to_have_text(["admin", "mentor", "mentor", "student"])
    page.get_by_role("button", name="User").click()
    expect(users).to_have_text(["student", "mentor", "mentor", "admin"])
    page.get_by_label("Search").fill("MENT")
    expect(sockets(page)).to_have_count(2)
    expect(page.locator("#count")).to_have_text("2 of 4 sockets in 2 processes")

    disconnect(page, "mentor, /ws/notifications/", "Cancel")
    disconnect(page, "mentor, /ws/notifications/", "This socket")
    expect(page.locator("#done")).to_have_text("Disconnected 1 socket of mentor.")
    expect_state(mentor, "closed")
    expect(mentor.locator("#state")).to_have_text(re.compile("The staff has ended this connection"))
    expect(sockets(page)).to_have_count(1)
    mentor.reload()
    expect_state(mentor, "connected")
    expect(sockets(page)).to_have_count(2)
    disconnect(page, "mentor", "All of this user")
    expect(page.locator("#done")).to_have_text("Disconnected 2 sockets of mentor.")
    for tab in (mentor, room):
        expect_state(tab, "closed")
    expect_state(student, "connected")
    lines = re.findall("'admin' disconnected 'mentor' .* from '(.+)'", site[1].output())
    assert sorted(lines) == sorted([f"/ws{NOTIFICATIONS}"] * 2 + [f"/ws{LOBBY}"])
    page.set_viewport_size({"width": 390, "height": 780})
    assert page.evaluate(OVERFLOW) == 0


@pytest.mark.parametrize("site", each([SHARED]), indirect=True)
def test_it_names_who_does_not_answer_and_goes_on_after_an_outage(site, other, watch, valkey, complaints):
    page = watch()
    late = page.context.new_page()
    problem = page.get_by_role("alert")
    expect(processes(page)).to_have_text(["serving"] * 2)
    with suspended(other):
        expect(processes(page).filter(has_text="no answer since")).to_have_count(1)
        expect(problem).to_be_hidden()
    expect(processes(page)).to_have_text(["serving"] * 2)
    with valkey.killed():
        expect(problem).to_have_text(re.compile("The channel layer does not answer"))
        late.goto("/admin/channels/")
        expect(late.get_by_role("alert")).to_have_text(problem.text_content())
    for tab in (page, late):
        expect(tab.get_by_role("alert")).to_be_hidden()
    expect(processes(page)).to_have_text(["serving"] * 2)
    expect_state(page, "connected")
    other.terminate()  # says goodbye, so nobody waits for its answer
    expect(processes(page)).to_have_text(["serving"])
    forgive(complaints, "status of 503 .*/api/ws-ticket/")


@pytest.mark.parametrize("site", each([ALONE]), indirect=True)
def test_the_only_process_shows_itself(site, watch):
    page = watch()
    page.emulate_media(color_scheme="dark")
    expect(processes(page)).to_have_text(["serving"])
    expect(page.locator("#count")).to_have_text("1 socket in 1 process")
    expect(sockets(page)).to_contain_text("ChannelsConsumer")
