"""The pages for developers in Chromium: sockets and the REST API are tried there, without a complaint."""

import pytest
from playwright.sync_api import expect

from browser import OVERFLOW

pytestmark = pytest.mark.browser

WIDTHS = (1280, 390)  # pixels of a laptop and of a phone


def try_room(page, room):
    """Open the part of the page on which a room is tried; connect; return what is tried, and its frames."""
    channel = page.locator("#RoomConsumer")
    if not channel.get_by_label("room_id").is_visible():
        channel.get_by_text("Try it").click()
    channel.get_by_label("room_id").fill(room)
    channel.get_by_role("button", name="Connect", exact=True).click()
    return channel, channel.get_by_role("list", name="Frames").get_by_role("listitem")


def test_a_socket_is_tried_on_its_page(log_in):
    student = log_in("student")
    student.get_by_role("link", name="WebSockets").click()
    channel, frames = try_room(student, "lobby")
    status = channel.get_by_role("status")
    expect(status).to_have_text("Connected")
    expect(frames.filter(has_text="connection_established")).to_have_count(1)

    channel.get_by_label("Type of frame").select_option("chat_message")
    channel.get_by_role("button", name="Send").click()  # what stands there is a frame that can be sent
    expect(frames.filter(has_text='"reply"')).to_contain_text("message_id")
    channel.get_by_label("Type of frame").select_option("typing")
    channel.get_by_label("JSON").fill('{"type": "typing", "active": 3, "id": 7}')
    channel.get_by_role("button", name="Send").click()
    expect(frames.filter(has_text="invalid_message")).to_contain_text('"id": 7')

    channel.get_by_role("button", name="Disconnect").click()
    expect(status).to_have_text("Not connected")
    expect(channel.get_by_label("JSON")).to_be_disabled()
    try_room(student, "nowhere")
    expect(status).to_contain_text("Closed with 4404")


@pytest.mark.parametrize("width", WIDTHS)
def test_its_page_fits_the_window(log_in, width):
    student = log_in("student")
    student.set_viewport_size({"width": width, "height": 780})
    assert student.goto("/api/asyncapi/").ok
    for summary in student.get_by_text("Try it").all():
        summary.click()
    expect(student.get_by_text("rate_limited").first).to_be_visible()
    assert student.evaluate(OVERFLOW) == 0


def test_pages_of_libraries_raise_no_complaint(site, log_in):
    """Django's admin, Swagger UI and the pages of REST framework work under the security policy."""
    admin = log_in("admin")
    admin.emulate_media(color_scheme="dark")
    for path in ("/admin/", "/admin/accounts/user/", "/admin/accounts/user/add/"):
        assert admin.goto(path).ok
    paths = ["/api/docs/"]
    if site[0].variant["auth"] != "jwt":  # else it takes a token, which no page sends by itself
        paths += ["/api/notes/", "/api/async/notes/"]
    for path in paths:
        assert admin.goto(path).ok
        expect(admin.locator(".opblock, .response-info").first).to_be_visible()
        admin.get_by_role("link", name="←").click()
        expect(admin).to_have_url(f"{site[1].url}/")
    admin.goto("/api/docs/")
    assert admin.evaluate("document.documentElement.className") == "dark-mode"
