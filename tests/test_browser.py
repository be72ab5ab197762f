"""The pages as two people see them in Chromium, whose console must have nothing to complain about."""

import re
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from serving import PASSWORD, each, running
from variants import BOOTED, CONFIG

pytestmark = pytest.mark.browser

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOBBY, NOTIFICATIONS = "/rooms/lobby/", "/notifications/"
PAGES = ["/", "/accounts/login/", "/accounts/password_change/", "/rooms/", LOBBY, NOTIFICATIONS]
WIDTHS = (1280, 390)  # pixels of a laptop and of a phone
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

expect.set_options(timeout=15_000)  # ms; a page that comes back waits up to 10 s


def first(**answers):
    """Return the first booted variant with these answers."""
    return next(variant for variant in BOOTED if answers.items() <= variant.items())


newest, older = CONFIG["django_version"]
VARIANTS = [
    first(server="uvicorn", channel_layer="memory", auth="session"),
    first(server="granian", channel_layer="redis", auth="jwt", django_version=newest),  # sockets by ticket
    first(rest_api="drf", auth="session", django_version=older),
]


@pytest.fixture(scope="module")
def chromium():
    """The browser. It ends with this module, since no other event loop can run beside Playwright's."""
    path = shutil.which("chromium")
    assert path, "There is no chromium on the PATH; install it, or run `make test`, which does without it."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=each(VARIANTS))
def site(request, installed):
    """A project that is being served, and its server."""
    project = installed(request.param)
    with running(project) as server:
        yield project, server


@pytest.fixture
def complaints():
    """What consoles say: errors, warnings, violations of the security policy. None may be left."""
    complaints = []
    yield complaints
    assert not complaints


def forgive(complaints, reason):
    """Take off the complaints that were to be expected, for this reason."""
    complaints[:] = [complaint for complaint in complaints if not re.search(reason, complaint)]


@pytest.fixture
def log_in(site, chromium, complaints):
    """Return a function that logs a user in, in a browser of their own, and returns the page."""
    contexts = []

    def hear(message):
        if message.type in ("error", "warning"):
            complaints.append(f"{message.page.url}: {message.text} {message.location['url']}")

    def log_in(username, server=site[1]):
        context = chromium.new_context(base_url=server.url)
        contexts.append(context)
        context.on("console", hear)
        context.on("weberror", lambda error: complaints.append(f"{error.page.url}: {error.error}"))
        page = context.new_page()
        page.goto("/accounts/login/")
        submit_login(page, username)
        expect(page).to_have_url(f"{server.url}/")
        return page

    yield log_in
    for context in contexts:
        context.close()


def submit_login(page, username):
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()


def go_live(page, path):
    assert page.goto(path).ok
    expect_state(page, "connected")


def expect_state(page, state):
    expect(page.locator("#state")).to_have_attribute("data-state", re.compile(state))


def say(page, text):
    page.get_by_label("Your message").fill(text)
    page.get_by_role("button", name="Send").click()


def said(page):
    return page.locator("#messages .body")


def test_two_people_meet_in_a_room(log_in):
    student, mentor = log_in("student"), log_in("mentor")
    student.goto("/rooms/")
    student.get_by_label("Name").fill("Night watch")
    student.get_by_label("Slug").fill("night-watch")
    student.get_by_role("button", name="Open it").click()
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


def test_pages_of_libraries_raise_no_complaint(log_in, complaints):
    """Django's admin and Swagger UI work under the project's security policy."""
    admin = log_in("admin")
    for path in ("/admin/", "/admin/accounts/user/", "/admin/accounts/user/add/"):
        assert admin.goto(path).ok
    assert admin.goto("/api/docs/").ok
    expect(admin.locator(".opblock").first).to_be_visible()
    forgive(complaints, "/favicon.ico$")  # the admin names no icon
    forgive(complaints, "Applying inline style .*/api/docs/$")  # a few lines that Swagger UI can do without
