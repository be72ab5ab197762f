"""What an open page makes of a network that goes, a login that ends, a deploy, another page in its place."""

import re
from collections import defaultdict
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from browser import (
    FRONT_ENDS,
    LOBBY,
    REACT,
    expect_state,
    forgive,
    go_live,
    is_react,
    said,
    say,
    submit_login,
)
from serving import each, running

pytestmark = pytest.mark.browser
in_both = pytest.mark.parametrize("site", each(FRONT_ENDS), indirect=True)
in_react = pytest.mark.parametrize("site", each([REACT]), indirect=True)

END_LOGINS = """\
from datetime import timedelta
from django.contrib.sessions.models import Session
from django.utils import timezone
Session.objects.update(expire_date=timezone.now() + timedelta(seconds=%d))
"""
CHUNKS = "static/app/assets"
SOCKET = "/ws/rooms/lobby/"


class Sockets:
    """The sockets that a page opens from now on, by path."""

    def __init__(self, page):
        self.page, self.opened = page, defaultdict(list)
        page.on("websocket", lambda socket: self.opened[urlsplit(socket.url).path].append(socket))

    def open(self, path):
        return sum(not socket.is_closed() for socket in self.opened[path])

    def expect_open(self, path, number):
        for _ in range(50):
            if self.open(path) == number:
                return
            self.page.wait_for_timeout(100)  # in which events of the page come in
        assert self.open(path) == number


@in_both
def test_a_page_has_one_socket_at_a_path(site, log_in):
    student = log_in("student")
    sockets = Sockets(student)
    go_live(student, LOBBY)
    say(student, "Only one")
    expect(said(student).last).to_have_text("Only one")
    assert len(sockets.opened[SOCKET]) == 1


@pytest.mark.parametrize("target", ["serve", "run"])
@in_react
def test_pages_that_follow_each_other_leave_no_socket(site, log_in, target):
    """By links and by the way back. In development React shows each twice, to find what does not end."""
    with running(site[0], target) as server:
        student, mentor = log_in("student", server), log_in("mentor", server)
        sockets = Sockets(student)
        menu = student.get_by_role("navigation")
        menu.get_by_role("link", name="Rooms").click()
        student.get_by_role("link", name="Lobby").click()
        expect_state(student, "connected")
        go_live(mentor, LOBBY)
        student.evaluate("window.here = true")  # until a page is loaded
        sockets.expect_open(SOCKET, 1)
        menu.get_by_role("link", name="Leaderboard").click()
        expect(student.get_by_role("heading", name="Leaderboard")).to_be_visible()
        sockets.expect_open(SOCKET, 0)
        expect(mentor.locator("#present .name")).to_have_text(["mentor (you)"])
        say(mentor, f"Said while away, {target}")
        student.go_back()
        expect(said(student).last).to_have_text(f"Said while away, {target}")
        sockets.expect_open(SOCKET, 1)
        student.go_back()
        expect(student.get_by_role("heading", name="Open a room")).to_be_visible()
        sockets.expect_open(SOCKET, 0)
        assert student.evaluate("window.here")
        assert len(sockets.opened[SOCKET]) == 2
        for page in (student, mentor):
            page.close()


@in_both
def test_a_page_is_offline_and_comes_back_by_itself(log_in, complaints):
    student, mentor = log_in("student"), log_in("mentor")
    for page in (student, mentor):
        go_live(page, LOBBY)
    student.context.set_offline(True)
    expect_state(student, "offline")
    expect(student.get_by_label("Your message")).to_be_disabled()
    say(mentor, "Are you there?")
    student.context.set_offline(False)
    expect_state(student, "connected")
    expect(said(student).last).to_have_text("Are you there?")
    forgive(complaints, "ERR_INTERNET_DISCONNECTED")


@in_both
def test_a_login_that_ends_leads_to_the_login_page_and_back(site, log_in, complaints):
    student = log_in("student")
    site[0].manage("shell", "-c", END_LOGINS % 10)
    go_live(student, LOBBY)
    expect(student).to_have_url(re.compile(r"/accounts/login/\?next=%2Frooms%2Flobby%2F$"))
    submit_login(student, "student")
    expect_state(student, "connected")
    forgive(complaints, "status of 401 ")


@in_react
def test_what_a_page_asks_for_after_its_login_has_ended_leads_to_the_login_page(site, log_in, complaints):
    student = log_in("student")
    site[0].manage("shell", "-c", END_LOGINS % 0)
    student.get_by_role("navigation").get_by_role("link", name="Rooms").click()
    expect(student).to_have_url(re.compile(r"/accounts/login/\?next=%2Frooms%2F$"))
    submit_login(student, "student")
    expect(student.get_by_role("heading", name="Open a room")).to_be_visible()
    forgive(complaints, "status of 401 .*/api/rooms/")


@in_react
def test_a_page_goes_on_after_a_deploy_that_has_built_everything_anew(site, log_in, complaints, monkeypatch):
    project, _ = site
    with running(project) as server:
        student = log_in("student", server)
        go_live(student, LOBBY)
        say(student, "Before")
        expect(said(student).last).to_have_text("Before")
    expect_state(student, "reconnecting|offline")
    rename_chunks(project.folder / CHUNKS)
    monkeypatch.setattr("serving.free_port", lambda: server.port)  # where the page looks for it
    with running(project):
        expect_state(student, "connected")
        say(student, "After")
        expect(said(student).last).to_have_text("After")
        student.get_by_role("navigation").get_by_role("link", name="Notifications").click()
        expect(student.get_by_role("heading", name="Notifications")).to_be_visible()
        expect_state(student, "connected")
        student.close()
    forgive(complaints, "ERR_CONNECTION_REFUSED|/static/app/assets/")


def rename_chunks(folder):
    """Give all that was built other names, as a build of other sources does."""
    names = {path.name: re.sub(r"(?=\.\w+$)", "2", path.name) for path in folder.iterdir()}
    entry = folder.parent / "index.html"
    for path in [*folder.iterdir(), entry]:
        text = path.read_text(encoding="utf-8")
        for old, new in names.items():
            text = text.replace(old, new)
        path.with_name(names.get(path.name, path.name)).write_text(text, encoding="utf-8")
        if path != entry:
            path.unlink()


@in_react
def test_a_page_says_that_it_loads_and_what_went_wrong(log_in, complaints):
    student, asked = log_in("student"), []
    heading = student.get_by_role("heading", name="Notifications")
    again = student.get_by_role("button", name="Try again")
    student.route("**/api/notifications/", lambda route: asked.append(route))
    student.get_by_role("navigation").get_by_role("link", name="Notifications").click()
    expect(student.get_by_text("Loading")).to_be_visible()
    expect(student.locator("#main")).to_be_focused()
    asked.pop().abort()
    expect(student.get_by_role("alert")).to_contain_text("The server did not answer.")
    again.click()
    expect(student.get_by_text("Loading")).to_be_visible()
    asked.pop().fulfill(json={"nothing": "that the page can show"})
    expect(student.get_by_role("alert")).to_contain_text("is not a function")
    expect(student.get_by_role("button", name="Log out")).to_be_visible()
    student.unroute_all()
    again.click()
    expect(heading).to_be_visible()
    student.route("**/api/site/", lambda route: route.fulfill(status=404, json={}))
    student.reload()
    expect(student.get_by_role("alert")).to_contain_text("/api/site/ answered 404.")
    student.unroute_all()
    again.click()
    expect(heading).to_be_visible()
    forgive(complaints, "ERR_FAILED|is not a function|status of 404 .*/api/site/")


@in_both
def test_pages_are_under_the_same_policy(site, log_in):
    student = log_in("student")
    policy = student.goto(LOBBY).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    expect(student.locator("#root")).to_have_count(int(is_react(site)))


@in_both
def test_a_host_opens_a_room_and_invites(log_in, complaints):
    mentor, student, admin = map(log_in, ("mentor", "student", "admin"))
    mentor.goto("/rooms/")
    mentor.get_by_label("Name").fill("Defence")
    mentor.get_by_text("Who may come in, and when").click()
    mentor.get_by_label("By invitation").check()
    mentor.get_by_label("Waiting room").check()
    mentor.get_by_label("Beginning").fill("2030-01-02T10:00")
    mentor.get_by_label("End").fill("2030-01-01T10:00")
    mentor.get_by_role("button", name="Open").click()
    expect(mentor.locator(".errorlist")).to_have_text("The end has to come after the beginning.")
    for label in ("Beginning", "End"):
        mentor.get_by_label(label).fill("")
    mentor.get_by_role("button", name="Open").click()
    for login, answer in {
        "nobody": "Nobody here has this name or address. Send them the link instead.",
        "student": "student is invited.",
    }.items():
        mentor.get_by_label("Username or email").fill(login)
        mentor.get_by_role("button", name="Invite").click()
        expect(mentor.get_by_text(answer)).to_be_visible()
    mentor.get_by_role("button", name="Withdraw the invitation of student").click()
    expect(mentor.get_by_text("student is not invited any more.")).to_be_visible()
    expect(mentor.get_by_text("Nobody yet.")).to_be_visible()

    link = mentor.get_by_label("Or send this link").input_value()
    student.goto(link)
    expect(student.get_by_text("mentor invites you to this room.")).to_be_visible()
    student.get_by_role("button", name="Come in").click()
    expect(student.locator("#hint")).to_contain_text("You come in as soon as you are admitted")
    mentor.get_by_role("link", name="Go to the room").click()
    mentor.get_by_role("button", name="Admit student").click()
    expect(student.locator("#present .name")).to_have_text(["student (you)", "mentor"])

    mentor.get_by_role("link", name="Settings").click()
    mentor.get_by_role("button", name="Withdraw all links").click()
    expect(mentor.get_by_text("Earlier links lead nowhere now.")).to_be_visible()
    admin.goto(link)
    expect(admin.get_by_role("heading", name="This invitation does not hold any more")).to_be_visible()
    forgive(complaints, "status of 40[03] ")
