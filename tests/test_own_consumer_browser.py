"""The page of a consumer of one's own in Chromium, made as the README of the project says."""

import pytest
from playwright.sync_api import expect

from browser import expect_state, go_live
from serving import each, running
from test_own_consumer import ALONE, project  # noqa: F401 (a fixture)
from variants import on_both

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("project", each(on_both(ALONE)), indirect=True)]


@pytest.fixture(scope="module")
def site(project):  # noqa: F811
    with running(project) as server:
        yield project, server


def test_what_one_posts_all_see(log_in):
    student, mentor = log_in("student"), log_in("mentor")
    student.get_by_role("navigation").get_by_role("link", name="Polls").click()
    expect_state(student, "connected")
    go_live(mentor, "/polls/")
    for text in ("Hello", "Is <b>this</b> live?"):
        student.get_by_label("Your message").fill(text)
        student.get_by_role("button", name="Post").click()
        expect(student.get_by_label("Your message")).to_be_empty()
    for page in (student, mentor):
        expect(page.locator("#posts > li h2")).to_have_text(["student", "student"])
        expect(page.locator("#posts > li p")).to_have_text(["Is <b>this</b> live?", "Hello"])


def test_a_name_that_pages_use_is_refused(project):  # noqa: F811
    printed = project.manage("startconsumer", "events", fails=True)
    assert "events/ exists already; choose another name" in printed
