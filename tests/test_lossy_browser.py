"""Pages whose connection loses what the server says, or makes up what it does not."""

import re

import pytest
from playwright.sync_api import expect

from browser import FRONT_ENDS, LOBBY, NOTIFICATIONS, OVERFLOW, Wire, expect_state, go_live, said, say
from serving import each

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("site", each(FRONT_ENDS), indirect=True),
]

UNSURE = ".pending, .failure"
LINES = """({ firstChild }) => {
  const text = new Range();
  text.selectNode(firstChild);
  return text.getClientRects().length;
}"""


@pytest.mark.parametrize("came", [True, False])
def test_a_message_whose_reply_was_lost_is_said_once(log_in, came):
    student, mentor = log_in("student"), log_in("mentor")
    wire, text, keys = Wire(student), f"Once? {came}", []

    def sent(frame):
        if frame["type"] == "chat_message":
            keys.append(frame["idempotency_key"])
        Wire.sent(wire, frame)

    def received(frame):
        if len(keys) == 1 and frame["type"] == "reply":
            wire.cut()
        elif frame["type"] != "chat_message" or came or len(keys) > 1:
            Wire.received(wire, frame)

    for page in (student, mentor):
        go_live(page, LOBBY)
    wire.sent, wire.received = sent, received
    say(student, text)
    expect(student.locator(UNSURE)).to_have_count(0)
    assert keys == [keys[0]] * 2
    for page in (student, mentor):
        expect(said(page).filter(has_text=text)).to_have_count(1)


def test_of_two_equal_messages_the_one_that_failed_is_sent_again(log_in):
    student, mentor = log_in("student"), log_in("mentor")
    wire, texts = Wire(student), []

    def sent(frame):
        if frame["type"] == "chat_message":
            texts.append(frame["message"])
        if "message" in frame and len(texts) == 1:
            wire.received({"type": "error", "id": frame["id"], "code": "rate_limited", "detail": "Slow down"})
        else:
            Wire.sent(wire, frame)

    for page in (student, mentor):
        go_live(page, LOBBY)
    wire.sent = sent
    say(student, "Twice")
    say(student, "Twice")
    expect(student.locator(".failure")).to_contain_text("Not sent. Slow down")
    expect(said(mentor).filter(has_text="Twice")).to_have_count(1)
    expect(student.locator(UNSURE)).to_have_count(1)
    student.get_by_role("button", name="Try again").click()
    expect(student.locator(UNSURE)).to_have_count(0)
    for page in (student, mentor):
        expect(said(page).filter(has_text="Twice")).to_have_count(2)


def test_a_gap_is_shown_between_the_old_and_the_new(log_in):
    student, mentor = log_in("student"), log_in("mentor")
    wire = Wire(student)
    for page in (student, mentor):
        go_live(page, LOBBY)
    say(mentor, "before")
    expect(said(student).last).to_have_text("before")
    last = int(student.locator(".message").last.get_attribute("data-id"))
    wire.received({"type": "gap", "asked": last - 1, "resumed": last})
    say(mentor, "after")
    items = student.locator("#messages > li")
    expect(said(student).last).to_have_text("after")
    expect(items.nth(-3)).to_contain_text("before")
    expect(items.nth(-2)).to_contain_text("Some messages in between are not shown")
    expect(items.last).to_contain_text("after")
    student.get_by_role("link", name="Show the newest").click()
    expect(student.locator(".gap")).to_have_count(0)
    expect_state(student, "connected")


def test_a_page_that_is_ahead_of_the_server_is_loaded_anew(log_in):
    student = log_in("student")
    wire = Wire(student)
    go_live(student, LOBBY)
    with student.expect_navigation():
        wire.received({"type": "gap", "asked": 7, "resumed": 3})
    expect_state(student, "connected")


def test_notifications_count_what_is_not_listed_too(log_in):
    student = log_in("student")
    wire = Wire(student, f"/ws{NOTIFICATIONS}")

    def received(frame):
        if frame["type"] == "connection_established":
            frame |= {"unread": 1500}
        Wire.received(wire, frame)

    wire.received = received
    go_live(student, NOTIFICATIONS)
    student.get_by_role("button", name="Send myself a test notification").click()
    expect(student).to_have_title(re.compile(r"^\(1501\) Notifications"))
    student.get_by_role("button", name="Mark as read").first.click()
    expect(student).to_have_title(re.compile(r"^\(1500\) Notifications"))
    expect(student.locator("#unread")).to_have_text("1500")


def test_what_a_notification_tells_fits_a_phone(log_in):
    student = log_in("student")
    student.set_viewport_size({"width": 390, "height": 780})
    wire = Wire(student, f"/ws{NOTIFICATIONS}")
    go_live(student, NOTIFICATIONS)
    data = {"message": "It works: this came over the WebSocket.", "k" * 99: "v" * 99, "key": 1}
    notification = {"notification_id": 10**6, "kind": "news", "created_at": "2026-01-01T00:00:00Z"}
    wire.received({"type": "notification", "data": data, "read": False, **notification})
    keys = student.locator("#notifications > li").first.locator("dt")
    expect(keys).to_have_text(list(data))
    assert [keys.nth(position).evaluate(LINES) for position in (0, 2)] == [1, 1]
    assert student.evaluate(OVERFLOW) == 0
