"""The leaderboard in Chromium: rows move to their places, and what was missed is asked for."""

import re

import pytest
from playwright.sync_api import expect

from browser import OVERFLOW, expect_state, forgive, go_live
from serving import each, running
from variants import first, on_both

pytestmark = pytest.mark.browser

LEADERBOARD = "/leaderboard/"
VARIANTS = on_both(first(server="uvicorn", channel_layer="memory", auth="session_jwt", rest_api="drf"))
# How far from its place a row is shown, when it begins to move there.
WATCH_MOVES = """
window.moves = [];
const animate = Element.prototype.animate;
Element.prototype.animate = function (frames, options) {
  window.moves.push([this.querySelector(".name").textContent, frames.transform?.[0] ?? "fades in"]);
  return animate.call(this, frames, options);
};
"""


@pytest.fixture(scope="module", params=each(VARIANTS))
def site(request, installed):
    project = installed(request.param)
    with running(project) as server:
        yield project, server


@pytest.fixture
def scores(site):
    """Set the points of the demo users, and remove those of the others."""
    code = """
from django.contrib.auth import get_user_model
from leaderboard.models import Score
from leaderboard.scores import update_leaderboard
Score.objects.all().delete()
for name, points in (("mentor", 30), ("student", 20)):
    update_leaderboard([(get_user_model().objects.get(username=name).pk, points)])
"""
    site[0].manage("shell", "--no-imports", "--command", code)


def names(page):
    return page.locator("#entries .name")


def submit(page, user, points):
    """Use the form that the admin has."""
    page.get_by_label("User").fill(user)
    page.get_by_label("Points").fill(str(points))
    page.get_by_role("button", name="Give points").click()


def give(page, user, points):
    submit(page, user, points)
    expect(page.get_by_label("User")).to_be_empty()  # it was taken
    expect_state(page, "connected")  # before the page is left again


def test_rows_move_to_their_places(log_in, scores):
    student, admin = log_in("student"), log_in("admin")
    student.add_init_script(WATCH_MOVES)
    for page in (student, admin):
        go_live(page, LEADERBOARD)
        expect(names(page)).to_have_text(["mentor", "student"])
    expect(student.locator("#rank")).to_have_text("2")
    expect(student.get_by_role("button", name="Give points")).to_have_count(0)

    give(admin, "student", 12.5)
    expect(names(student)).to_have_text(["student", "mentor"])
    expect(student.locator("#entries .score")).to_have_text(["32.5", "30"])
    expect(student.locator("#entries .own .name")).to_have_text("student")
    expect(student.locator("#rank")).to_have_text("1")
    expect(student.locator("#score")).to_have_text("32.5")
    moves = dict(student.evaluate("moves"))
    up, down = (float(re.search(r"-?[\d.]+", moves[name])[0]) for name in ("student", "mentor"))
    assert up > 20 > -20 > down

    give(admin, "admin", 31)
    expect(names(student)).to_have_text(["student", "admin", "mentor"])
    expect(student.locator("#entries .rank")).to_have_text(["1", "2", "3"])
    assert dict(student.evaluate("moves"))["admin"] == "fades in"


def test_who_wants_no_motion_gets_none(log_in, scores):
    student, admin = log_in("student"), log_in("admin")
    student.emulate_media(reduced_motion="reduce")
    student.add_init_script(WATCH_MOVES)
    go_live(student, LEADERBOARD)
    go_live(admin, LEADERBOARD)
    give(admin, "student", 20)
    expect(names(student)).to_have_text(["student", "mentor"])
    assert student.evaluate("moves") == []


def test_a_page_that_lacks_a_version_asks(log_in, scores):
    """The second change is lost on its way, so the third one cannot be applied."""
    student, admin = log_in("student"), log_in("admin")
    changes, asked = [], []

    def handle(socket):
        server = socket.connect_to_server()

        def receive(text):
            changes.extend([text] if "leaderboard_changed" in text else [])
            if "leaderboard_changed" not in text or len(changes) != 2:
                socket.send(text)

        def send(text):
            asked.extend([text] if '"snapshot"' in text else [])
            server.send(text)

        server.on_message(receive)
        socket.on_message(send)

    student.route_web_socket(re.compile("/ws/leaderboard/"), handle)
    go_live(student, LEADERBOARD)
    go_live(admin, LEADERBOARD)
    for number, shown in ((1, ["30", "21"]), (2, ["30", "21"]), (4, ["30", "27"])):
        give(admin, "student", number)
        expect(admin.locator("#entries .score").last).to_have_text(str({1: 21, 2: 23, 4: 27}[number]))
        expect(student.locator("#entries .score")).to_have_text(shown)
    assert len(asked) == 1


def test_it_fits_a_phone_and_says_what_is_wrong(log_in, scores, complaints):
    admin = log_in("admin")
    admin.set_viewport_size({"width": 390, "height": 780})
    go_live(admin, LEADERBOARD)
    assert admin.evaluate(OVERFLOW) == 0
    expect(admin.locator("#rank")).to_have_text("–")
    submit(admin, "nobody", 1)
    expect(admin.locator(".errorlist")).to_have_text("There is no such user.")
    forgive(complaints, "status of 400 .*/api/leaderboard/")
    expect_state(admin, "connected")
