"""The pages of the judge in Chromium: a program is handed in, and its verdict appears by itself."""

import re

import pytest
from playwright.sync_api import expect

from browser import OVERFLOW, expect_state, go_live
from serving import each, running
from test_judge import ALONE, SUM
from variants import on_both

pytestmark = pytest.mark.browser

PROBLEM = "/problems/sum/"
XSS = "raise SystemError('<img src=x onerror=alert(1)>')"


@pytest.fixture(scope="module", params=each(on_both(ALONE)))
def site(request, installed):
    project = installed(request.param)
    with running(project) as server:
        yield project, server


def write(page, code):
    page.get_by_label("Your program").fill(code)


def hand_in(page, code):
    write(page, code)
    page.get_by_role("button", name="Submit").click()


def newest(page):
    return page.locator("#submissions > li").first


def test_a_verdict_appears_by_itself(log_in):
    student, mentor = log_in("student"), log_in("mentor")
    go_live(student, "/problems/")
    student.get_by_role("link", name="A sum").click()
    expect_state(student, "connected")
    go_live(mentor, PROBLEM)
    hand_in(student, SUM)
    expect(newest(student).locator(".verdict")).to_have_text("accepted", timeout=60_000)
    expect(newest(student).locator(".tests")).to_have_text("4 of 4 tests")
    expect(newest(student).locator("progress")).to_be_hidden()
    expect(mentor.locator("#empty")).to_be_visible()

    write(student, "")
    student.keyboard.type("if True:")
    student.keyboard.press("Enter")
    student.keyboard.press("Tab")
    student.keyboard.type("import time; time.sleep(2)")
    student.keyboard.press("Control+Enter")
    expect(newest(student).locator(".verdict")).to_have_text("running", timeout=60_000)
    student.reload()
    expect(newest(student).locator(".verdict")).to_have_text(re.compile("running|wrong|limit"))
    expect(newest(student).locator("[data-verdict$=wrong_answer], [data-verdict$=limit]")).to_be_visible()
    student.goto("/problems/")
    expect(student.locator(".card", has_text="A sum")).to_contain_text("solved")


def test_what_programs_say_is_text_and_what_is_refused_is_said(log_in):
    student = log_in("student")
    go_live(student, PROBLEM)
    hand_in(student, XSS)
    expect(newest(student).locator(".detail")).to_contain_text("<img src=x", timeout=60_000)
    assert student.locator(".detail img").count() == 0
    hand_in(student, "   ")
    expect(student.get_by_role("alert")).to_have_text("There is no program in it.")
    student.get_by_role("button", name="Let a model solve it").click()
    expect(student.get_by_role("alert")).to_contain_text("PROBLEMS_SOLVER")
    hand_in(student, "print(3)")
    expect(student.get_by_role("alert")).to_be_hidden()


def test_pages_fit_a_phone_and_only_staff_add_problems(log_in):
    admin, student = log_in("admin"), log_in("student")
    for page in (admin, student):
        page.set_viewport_size({"width": 390, "height": 780})
        for path in ("/problems/", PROBLEM):
            go_live(page, path)
            assert page.evaluate(OVERFLOW) == 0
    go_live(student, "/problems/")
    expect(student.get_by_role("button", name="Read")).to_have_count(0)
    go_live(admin, "/problems/")
    admin.get_by_label("Address").fill("http://169.254.169.254/")
    admin.get_by_role("button", name="Read").click()
    expect(admin.get_by_role("alert")).to_contain_text(re.compile("GEMINI|PROBLEMS_"))
