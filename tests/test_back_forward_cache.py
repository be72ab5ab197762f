"""A page that is kept whole while its visitor is elsewhere, and shown again."""

import pytest
from playwright.sync_api import expect

from browser import FRONT_ENDS, LOBBY, expect_state, go_live, said, say
from serving import each

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("site", each(FRONT_ENDS), indirect=True),
]

BROWSERS = ["chromium"]  # its headless shell keeps no pages


def test_a_page_leaves_for_the_back_forward_cache_and_comes_back(log_in):
    student, mentor = log_in("student"), log_in("mentor")
    for page in (student, mentor):
        go_live(page, LOBBY)
    present = mentor.locator("#present .name")
    expect(present).to_have_text(["mentor (you)", "student"])
    student.evaluate("addEventListener('pageshow', ({ persisted }) => (window.persisted = persisted))")
    student.goto("/rooms/")
    expect(present).to_have_text(["mentor (you)"])
    student.go_back(wait_until="commit")
    student.wait_for_function("window.persisted")
    expect_state(student, "connected")
    say(student, "Back again")
    expect(student.locator(".pending, .failure")).to_have_count(0)
    expect(said(student).last).to_have_text("Back again")
