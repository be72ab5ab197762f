"""The pages of mentors and students in Chromium."""

import os
import re

import pytest
from playwright.sync_api import expect

from browser import OVERFLOW, expect_state, forgive, go_live
from serving import each, running
from variants import first, on_both

pytestmark = pytest.mark.browser

END = """
from mentoring.models import Mentorship
Mentorship.objects.filter(mentor__username="mentor", student__username="student").delete()
"""
BEGIN = """
from accounts.models import User
from mentoring.models import Mentorship
mentor, student = [User.objects.get(username=name) for name in ("mentor", "student")]
Mentorship.objects.get_or_create(mentor=mentor, student=student)
"""
PRAISE = """
from accounts.models import User
from mentoring.notify import notify_student
notify_student(User.objects.get(username="student").pk, "grade_received", {"exercise": "Rooms", "points": 9})
"""
SHOTS = os.environ.get("SHOTS")
WIDTHS = (1280, 390)  # pixels of a laptop and of a phone


SITES = [
    *on_both(first(server="uvicorn", channel_layer="memory", auth="session_jwt", rest_api="drf")),
    first(server="granian", channel_layer="redis", auth="jwt", django_version="6.1"),  # sockets by ticket
]


@pytest.fixture(scope="module", params=each(SITES))
def site(request, installed):
    """A project with a mentor and a student, and its server."""
    project = installed(request.param)
    with running(project) as server:
        project.manage("shell", "-c", BEGIN)
        yield project, server


def events(page):
    return page.locator("#events > li")


def send(page, label, text):
    page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Send").click()


def test_a_student_asks_a_mentor_answers_and_both_see_it_at_once(site, log_in):
    mentor, student = log_in("mentor"), log_in("student")
    go_live(student, "/mentoring/")
    go_live(mentor, "/mentoring/")
    expect(student.get_by_text("Mentored by mentor")).to_be_visible()
    site[0].manage("shell", "-c", PRAISE)
    expect(events(student).first).to_contain_text(re.compile(r"grade received.*points9", re.DOTALL))
    card = mentor.locator("#students li")
    expect(card).to_contain_text(re.compile(r"student.*grade received.*points9", re.DOTALL))

    before = events(mentor).count()
    send(student, "Ask your mentors", "Is <b>this</b> right?")
    for page in (student, mentor):
        expect(events(page).first).to_contain_text("Is <b>this</b> right?")
    expect(events(mentor)).to_have_count(before + 1)
    expect(card).to_contain_text("question")
    expect(student.get_by_label("Ask your mentors")).to_be_empty()

    card.get_by_role("link").click()
    expect_state(mentor, "connected")
    expect(mentor.get_by_role("heading", name="student")).to_be_visible()
    send(mentor, "Tell student", "It is.")
    for page in (student, mentor):
        expect(events(page).first).to_contain_text("It is.")
    number = events(student).count()
    student.reload()
    expect_state(student, "connected")
    expect(events(student)).to_have_count(number)
    expect(events(student).first).to_contain_text(re.compile(r"feedback.*from.*mentor", re.DOTALL))


def test_an_ended_mentorship_ends_the_mentor_s_page(site, log_in, complaints):
    mentor, at_student = log_in("mentor"), log_in("mentor")
    go_live(mentor, "/mentoring/")
    mentor.locator("#students").get_by_role("link", name="student").click()
    expect(mentor).to_have_url(re.compile("/students/"))
    go_live(at_student, mentor.url)
    go_live(mentor, "/mentoring/")
    try:
        site[0].manage("shell", "-c", END)
        expect(at_student.locator("#state")).to_have_text("You may not see this.")
        expect(mentor.get_by_text("No students yet.")).to_be_visible()
        expect_state(mentor, "connected")
        at_student.reload()
        expect(at_student.get_by_role("heading", name="Not allowed")).to_be_visible()
    finally:
        site[0].manage("shell", "-c", BEGIN)
    expect(mentor.locator("#students").get_by_role("link", name="student")).to_be_visible()
    forgive(complaints, "status of 403 .*/mentoring/students/")


@pytest.mark.parametrize("scheme", ["light", "dark"] if SHOTS else ["light"])  # which differ in colours
def test_pages_fit_every_window(log_in, scheme):
    for name in ("admin", "mentor", "student"):
        page = log_in(name)
        page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 780})
            assert page.goto("/mentoring/").ok
            assert page.evaluate(OVERFLOW) == 0
        if name == "admin":
            page.get_by_role("link", name="mentor", exact=True).click()
            expect_state(page, "connected")
            page.locator("#students").get_by_role("link", name="student").click()
        expect_state(page, "connected")
        assert page.evaluate(OVERFLOW) == 0
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{scheme}-phone.png")
            page.set_viewport_size({"width": 1000, "height": 700})
            page.screenshot(path=f"{SHOTS}/{name}-{scheme}.png")
