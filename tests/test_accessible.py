"""The pages of both front ends for those who see little, or use a keyboard alone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from browser import LOBBY, NOTIFICATIONS, expect_state, forgive, said
from offered import ALL_CONSUMERS
from serving import PASSWORD, each, running
from variants import first

pytestmark = pytest.mark.browser

TEMPLATES = first(server="uvicorn", channel_layer="memory", auth="session_jwt", rest_api="drf") | {
    "consumers": ALL_CONSUMERS,
    "frontend": "templates",
}
VARIANTS = [TEMPLATES, TEMPLATES | {"frontend": "react"}]

# Something of each kind for the pages to show. Prints where a mentor, a student and a chat are found.
FILL = """
from accounts.models import User
from assistant.models import ChatSession
from dashboard.notify import notify_dashboard
from leaderboard.scores import update_leaderboard
from mentoring.models import Mentorship
from mentoring.notify import notify_student
from notifications.notify import notify_user
from rooms.models import Room
mentor, student = [User.objects.get(username=name) for name in ("mentor", "student")]
Mentorship.objects.get_or_create(mentor=mentor, student=student)
update_leaderboard([(mentor.pk, 30), (student.pk, 20)])
notify_dashboard("course_finished", {"course": "Rooms", "points": 9})
notify_student(student.pk, "grade_received", {"exercise": "Rooms", "points": 9})
for user in (mentor, student):
    notify_user(user.pk, "grade_received", {"exercise": "Rooms", "points": 9})
Room.objects.get(slug="lobby").post(mentor, "Hello", None)
Room.objects.get_or_create(slug="watch", defaults={"name": "Watch", "host": mentor})
chat = ChatSession.objects.create(owner=student, title="Of words")
print(mentor.pk, student.pk, chat.pk)
"""
PAGES = {
    "": ["/", "/accounts/login/", "/accounts/password_reset/", "/nowhere/"],
    "student": [
        "/",
        "/accounts/password_change/",
        "/rooms/",
        LOBBY,
        "/rooms/watch/join/",
        "/rooms/watch/",
        NOTIFICATIONS,
        "/leaderboard/",
        "/mentoring/",
        "/mentoring/students/{student}/",
        "/assistant/",
        "/assistant/{chat}/",
        "/problems/",
        "/problems/sum/",
    ],
    "mentor": [
        "/dashboard/",
        "/mentoring/",
        "/mentoring/mentors/{mentor}/",
        "/mentoring/students/{student}/",
        "/rooms/watch/",
        "/rooms/watch/host/",
    ],
    "admin": ["/leaderboard/", "/dashboard/", "/problems/", "/admin/channels/", "/api/asyncapi/"],
}


@pytest.fixture(scope="module", params=each(VARIANTS))
def site(request, installed):
    project = installed(request.param)
    with running(project) as server:
        yield project, server


@pytest.fixture(scope="module")
def filled(site):
    """Fill the site; return the ids of what is in it."""
    *_, ids = site[0].manage("shell", "-c", FILL).splitlines()
    return dict(zip(("mentor", "student", "chat"), ids.split(), strict=True))


def faults(page, **options):
    """What axe finds on a page that is serious, each with the elements it is about."""
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def settled(page, path):
    """Go to a page, and wait until it has all that it loads and nothing moves any more."""
    page.goto(path, wait_until="networkidle")
    rest(page)


def rest(page):
    finished = "() => document.getAnimations().every(({ playState }) => playState === 'finished')"
    page.wait_for_function(finished)


@pytest.mark.parametrize(("user", "paths"), PAGES.items())
def test_no_page_has_a_serious_fault(filled, log_in, visit, complaints, user, paths):
    page = log_in(user) if user else visit("/")
    found = {}
    for path in paths:
        page.emulate_media(color_scheme="light")
        settled(page, path.format(**filled))
        found[path] = faults(page)
        page.emulate_media(color_scheme="dark")
        rest(page)
        found[path] += faults(page, runOnly=["color-contrast"])  # what differs
    forgive(complaints, "status of 404 .*/nowhere/")
    assert not any(found.values()), "\n".join(f"{path} {each}" for path in found for each in found[path])


# -- The keyboard ------------------------------------------------------------------------------------------

# Remembers how all that can have the focus looks without it.
LOOK_AROUND = """
window.look = (element) => {
  const around = [element, element.parentElement, element.parentElement.parentElement];
  return JSON.stringify(around.map((each) => {
    const { outline, borderColor, boxShadow, backgroundColor, left } = getComputedStyle(each);
    return [outline, borderColor, boxShadow, backgroundColor, left];
  }));
};
document.activeElement.blur();
window.missed = new Map(
  [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((each) => !each.disabled && each.checkVisibility({ visibilityProperty: true }))
    .filter((each) => each.type !== "radio" || each.checked)
    .map((each) => [each, look(each)]),
);
window.unseen = [];
"""
# Notes what has the focus now.
NOTE_FOCUS = """() => {
  const element = document.activeElement;
  if (missed.has(element) && missed.get(element) === look(element)) {
    unseen.push(`unseen: ${element.outerHTML.slice(0, 200)}`);
  }
  missed.delete(element);
  return [missed.size, element.tagName];
}"""
MISSED = "[...missed.keys()].map(({ outerHTML }) => outerHTML.slice(0, 200)).concat(unseen)"


@pytest.mark.parametrize(("user", "paths"), PAGES.items())
def test_the_keyboard_reaches_all_and_shows_where_it_is(filled, log_in, visit, complaints, user, paths):
    page = log_in(user) if user else visit("/")
    found = {}
    for path in paths:
        settled(page, path.format(**filled))
        page.evaluate(LOOK_AROUND)
        left, tag = page.evaluate(NOTE_FOCUS)
        for _ in range(2 * left + 10):  # a page may begin in its middle
            page.keyboard.press("Tab")
            left, tag = page.evaluate(NOTE_FOCUS)
            if tag == "TEXTAREA":
                page.keyboard.press("Escape")  # a field for programs takes Tab for itself
            if not left:
                break
        found[path] = page.evaluate(MISSED)
    forgive(complaints, "status of 404 .*/nowhere/")
    assert not any(found.values()), found


def go_to(page, target):
    """Press Tab until something has the focus."""
    expect(target).to_be_visible()
    for _ in range(200):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {target}")


def press(page, role, name, key="Enter"):
    go_to(page, page.get_by_role(role, name=name, exact=True).first)
    page.keyboard.press(key)


def fill(page, label, text):
    go_to(page, page.get_by_label(label, exact=True))
    page.keyboard.type(text)


def test_a_visit_by_keyboard_alone(filled, visit):
    page = visit("/accounts/login/")
    fill(page, re.compile("^Username"), "student")
    fill(page, "Password:", PASSWORD + "\n")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()

    press(page, "link", "Skip to the content")
    expect(page.locator("#main")).to_be_focused()
    press(page, "link", "Rooms")
    press(page, "link", "Lobby")
    expect_state(page, "connected")
    fill(page, "Your message", "By keyboard\n")
    expect(said(page).last).to_have_text("By keyboard")

    press(page, "link", "Notifications")
    expect_state(page, "connected")
    unread = page.locator("#notifications > .unread")
    expect(unread).not_to_have_count(0)
    before = unread.count()
    press(page, "button", "Send myself a test notification", "Space")
    expect(unread).to_have_count(before + 1)
    press(page, "button", "Mark as read")
    expect(unread).to_have_count(before)

    press(page, "link", "Assistant")
    press(page, "button", "New chat")
    expect_state(page, "connected")
    fill(page, "Your question", "Who hears this?")
    press(page, "button", "Send")
    expect(page.get_by_role("article", name="Answer of echo", exact=True)).to_contain_text("hears")

    press(page, "link", "Problems")
    press(page, "link", "A sum")
    fill(page, re.compile("^Your program"), "print(3)")
    page.keyboard.press("Escape")
    press(page, "button", "Submit")
    expect(page.locator("#submissions > li").first).to_be_visible()
    press(page, "button", "Log out")
    # Which of the two it is depends on what hears of it first: the page, or its socket.
    expect(page).to_have_url(re.compile("/accounts/log(out|in)/"))
