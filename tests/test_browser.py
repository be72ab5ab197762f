"""The pages as two people see them in Chromium, whose console must have nothing to complain about."""

import re

import pytest
from playwright.sync_api import expect

from browser import (
    LOBBY,
    NOTIFICATIONS,
    OVERFLOW,
    expect_state,
    forgive,
    go_live,
    is_react,
    said,
    say,
    submit_login,
)
from serving import running

pytestmark = pytest.mark.browser

PAGES = ["/", "/accounts/password_change/", "/rooms/", LOBBY, NOTIFICATIONS]
VAULT = """\
from accounts.models import User
from rooms.models import Room
vault = Room.objects.create(slug="vault", name="Vault", is_open=False)
vault.members.add(User.objects.get(username="mentor"))
"""
LINES = "text => new Set(Array.from(text.getClientRects(), ({ y }) => y)).size"
WIDTHS = (1280, 390)  # pixels of a laptop and of a phone


def test_two_people_meet_in_a_room(log_in):
    student, mentor = log_in("student"), log_in("mentor")
    student.goto("/rooms/")
    student.get_by_label("Name").fill("Night watch")
    student.get_by_role("button", name="Open").click()
    expect_state(student, "connected")
    go_live(mentor, student.url)
    present = student.locator("#present .name")
    expect(present).to_have_text(["student (you)", "mentor"])

    mentor.get_by_label("Your message").press_sequentially("Hel")
    expect(student.locator("#typing")).to_have_text("mentor is typing")
    mentor.get_by_label("Your message").press_sequentially("lo\n")
    expect(said(student)).to_have_text(["Hello"])
    expect(student.locator("#typing")).to_be_empty()
    say(student, "Bold? <b>No</b> & no.")
    for page in (student, mentor):
        expect(said(page)).to_have_text(["Hello", "Bold? <b>No</b> & no."])
        expect(page.locator(".pending, .failure")).to_have_count(0)

    student.reload()
    expect_state(student, "connected")
    expect(said(student)).to_have_text(["Hello", "Bold? <b>No</b> & no."])
    mentor.goto("/")
    expect(present).to_have_text(["student (you)"])


def test_a_notification_shows_and_is_read_in_every_tab(log_in):
    one = log_in("student")
    other = one.context.new_page()
    for tab in (one, other):
        go_live(tab, NOTIFICATIONS)
    items = "#notifications > li"
    before = one.locator(items).count()
    one.get_by_role("button", name="Send myself a test notification").click()
    for tab in (one, other):
        expect(tab.locator(items)).to_have_count(before + 1)
        expect(tab.locator(items).first).to_contain_class("unread")
        tab.set_viewport_size({"width": min(WIDTHS), "height": 780})
        assert tab.locator(items).first.locator("dt").evaluate(LINES) == 1  # no key is broken in two
    other.locator(items).first.get_by_role("button", name="Mark as read").click()
    for tab in (one, other):
        expect(tab.locator(items).first).not_to_contain_class("unread")


def test_pages_come_back_after_a_restart(site, log_in, complaints, monkeypatch):
    project, _ = site
    with running(project) as server:
        student, mentor = log_in("student", server), log_in("mentor", server)
        for page in (student, mentor):
            go_live(page, LOBBY)
    for page in (student, mentor):
        expect_state(page, "reconnecting|offline")
        expect(page.get_by_label("Your message")).to_be_disabled()
    monkeypatch.setattr("serving.free_port", lambda: server.port)  # where the pages look for it
    with running(project):
        for page in (student, mentor):
            expect_state(page, "connected")
        say(mentor, "Still there?")
        expect(said(student).last).to_have_text("Still there?")
        for page in (student, mentor):
            page.close()
    forgive(complaints, "ERR_CONNECTION_REFUSED")


def test_logging_out_sends_the_other_tab_to_the_login_page(log_in, complaints):
    here = log_in("mentor")
    there = here.context.new_page()
    go_live(there, LOBBY)
    here.get_by_role("button", name="Log out").click()
    expect(here.get_by_role("heading", name="See you soon")).to_be_visible()
    expect(there).to_have_url(re.compile(r"/accounts/login/\?next=%2Frooms%2Flobby%2F$"))
    submit_login(there, "mentor")
    expect_state(there, "connected")
    forgive(complaints, "status of 401 .*/api/ws-ticket/")


def test_who_is_logged_in_is_not_asked_again_but_may_be_somebody_else(site, log_in, complaints):
    student = log_in("student")
    student.goto("/accounts/login/?next=/rooms/")
    expect(student.get_by_role("heading", name="Rooms")).to_be_visible()

    site[0].manage("shell", "-c", VAULT)
    status = student.goto("/rooms/vault/").status
    assert status == (200 if is_react(site) else 403)  # React's page is there, what it asks for is not
    expect(student.get_by_role("link", name="Go to the home page")).to_be_visible()
    student.get_by_role("button", name="Log in as somebody else").click()
    expect(student).to_have_url(re.compile(r"/accounts/login/\?next=(/|%2F)rooms\1vault\1$"))
    submit_login(student, "mentor")
    expect_state(student, "connected")
    forgive(complaints, "status of 403 .*/rooms/vault/")


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_the_window_and_raise_no_complaint(log_in, width):
    admin = log_in("admin")
    admin.set_viewport_size({"width": width, "height": 780})
    go_live(admin, LOBBY)
    say(admin, f"{width}px" * 100)  # a word that is longer than any line
    expect(said(admin).last).to_contain_text(f"{width}px")
    for path in PAGES:
        assert admin.goto(path).ok
        if path in (LOBBY, NOTIFICATIONS):
            expect_state(admin, "connected")
        assert admin.evaluate(OVERFLOW) == 0, path
    admin.context.clear_cookies()
    admin.goto("/accounts/login/")
    expect(admin.get_by_label("Username")).to_be_visible()
    assert admin.evaluate(OVERFLOW) == 0
