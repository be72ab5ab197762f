"""The video call of a room, in Chromium with made-up cameras: pictures of the others really arrive."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect

from browser import FRONT_ENDS, LOBBY, OVERFLOW, Wire, expect_state, forgive, go_live
from serving import each, running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("site", each(FRONT_ENDS), indirect=True),
]

BROWSER_FLAGS = (
    "--use-fake-device-for-media-stream=device-count=2,fps=5",
    "--use-fake-ui-for-media-stream",  # all pages may use them, and share a screen
    # Who uses no microphone offers names instead of addresses, which multicast DNS would have to find: there
    # is no network here that carries it.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)
# Counts the pictures that were decoded, for each connection that stands.
WATCHED = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(settings) {
    super({ ...settings, ...window.settings });
    connections.push(this);
  }
};
window.decoded = () => Promise.all(
  connections.filter(({ connectionState }) => connectionState === "connected").map(async (connection) => {
    const reports = [...(await connection.getStats()).values()];
    return reports.find(({ type, kind }) => type === "inbound-rtp" && kind === "video")?.framesDecoded ?? 0;
  }),
);
"""
MORE = """async (before) => {
  const now = await decoded();
  return now.length === before.length && now.every((number, n) => number > before[n] + 3);
}"""
LACKING = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (%s) throw new DOMException("", "%s");
  return ask(wanted);
};
"""
WITHOUT = {  # what the page says -> a browser of which it is true
    "No camera was found.": LACKING % ("wanted.video", "NotFoundError"),
    "No microphone was found.": LACKING % ("true", "NotFoundError"),
    "The browser does not let this page use": LACKING % ("true", "NotAllowedError"),
    "over HTTPS only": "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });",
}
ONLY_RELAYS = "window.settings = { iceTransportPolicy: 'relay' };"
CAMERA = "document.querySelector('.own video').srcObject.getTracks()[0]"
PULL_OUT = f"{CAMERA}.stop(), {CAMERA}.dispatchEvent(new Event('ended'))"
MEETINGS = """\
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from rooms.models import Room
host = User.objects.get(username="mentor")
Room.objects.create(slug="interview", name="Interview", host=host, waits=True)
Room.objects.create(slug="later", name="Later", host=host, starts_at=timezone.now() + timedelta(hours=1))
"""


@pytest.fixture
def enter(log_in):
    """Return a function that brings a user into a room, and returns the page."""

    def enter(username, path=LOBBY, script="", **options):
        page = log_in(username, **options)
        page.add_init_script(WATCHED + script)
        go_live(page, path)
        return page

    return enter


def join(*pages):
    for page in pages:
        page.locator("#call-join").click()
        expect(page.locator("#call-inside")).to_be_visible()


def press(page, name, pressed=True):
    button = page.get_by_role("button", name=name)
    button.click()
    expect(button).to_have_attribute("aria-pressed", str(pressed).lower())


def tile(page, name):
    return page.locator(".tile").filter(has=page.locator(".name", has_text=re.compile(f"^{name}$")))


def notices(page):
    return page.locator("#call-notices")


def expect_pictures(*pages):
    """All see each other, and pictures go on coming."""
    for page in pages:
        expect(page.locator(".tile")).to_have_count(len(pages))
        expect(page.locator(".tile[data-state=connected]")).to_have_count(len(pages))
    for page in pages:
        before = page.evaluate("decoded()")
        assert len(before) == len(pages) - 1
        page.wait_for_function(MORE, arg=before, polling=200)


def test_three_people_see_each_other_also_after_a_reload(enter):
    student, mentor, admin = people = [enter(name) for name in ("student", "mentor", "admin")]
    join(student, mentor)
    expect_pictures(student, mentor)
    expect(admin.locator("#in-call")).to_contain_text(" and ")
    join(admin)
    expect_pictures(*people)
    press(student, "Mute")
    student.reload()
    expect(tile(mentor, "student").locator(".muted-sign")).to_be_visible()
    expect_pictures(*people)


def test_pictures_go_on_while_the_server_is_away_and_after_it_is_back(site, enter, complaints, monkeypatch):
    project, _ = site
    with running(project) as server:
        student, mentor = people = [enter(name, server=server) for name in ("student", "mentor")]
        join(*people)
        expect_pictures(*people)
    for page in people:
        expect_state(page, "reconnecting|offline")
        expect(notices(page)).to_contain_text("The server does not answer")
    expect_pictures(*people)
    press(student, "Mute")
    expect(tile(mentor, "student").locator(".muted-sign")).to_be_visible()
    monkeypatch.setattr("serving.free_port", lambda: server.port)  # where the pages look for it
    with running(project):
        for page in people:
            expect_state(page, "connected")
            expect(notices(page)).to_be_empty()
        expect_pictures(*people)
        assert [page.evaluate("connections.length") for page in people] == [1, 1]  # the same all the time
        admin = enter("admin", server=server)
        join(admin)
        expect_pictures(*people, admin)
        mentor.reload()
        expect_pictures(*people, admin)
        for page in (*people, admin):
            page.close()
    forgive(complaints, "ERR_CONNECTION_REFUSED")


def test_a_screen_is_shared_and_those_who_leave_or_vanish_are_gone(enter):
    student, mentor = people = [enter(name) for name in ("student", "mentor")]
    join(*people)
    seen = tile(mentor, "student")
    press(student, "Camera off")
    expect(seen).to_have_attribute("data-video", "none")
    press(student, "Share screen")
    expect(seen).to_have_attribute("data-video", "screen")
    expect_pictures(*people)
    student.evaluate(PULL_OUT)  # as the browser's own button does
    expect(seen).to_have_attribute("data-video", "none")
    press(student, "Camera off", False)
    expect(seen).to_have_attribute("data-video", "camera")
    expect_pictures(*people)
    student.get_by_role("button", name="Leave").click()
    expect(student.locator("#call-join")).to_be_focused()
    expect(mentor.locator(".tile")).to_have_count(1)
    join(student)
    expect_pictures(*people)
    student.context.close()
    expect(mentor.locator(".tile")).to_have_count(1)


def test_the_call_moves_to_another_tab(enter):
    student, mentor = people = [enter(name) for name in ("student", "mentor")]
    join(*people)
    tab = student.context.new_page()
    tab.add_init_script(WATCHED)
    go_live(tab, LOBBY)
    join(tab)
    expect(notices(student)).to_contain_text("The call goes on in another tab.")
    expect_pictures(tab, mentor)


def test_who_waits_is_admitted_or_refused_and_the_host_ends_the_call_for_all(site, enter, log_in):
    site[0].manage("shell", "-c", MEETINGS)
    mentor, student, admin = [enter(name, "/rooms/interview/") for name in ("mentor", "student", "admin")]
    for page in (student, admin):
        expect(page.locator("#hint")).to_contain_text("You come in as soon as you are admitted")
    expect(mentor.locator("#waiting h2")).to_have_text("2 people wait to come in")
    mentor.get_by_role("button", name="Refuse admin").click()
    expect(admin.locator("#state")).to_have_text("The host does not let you in.")
    mentor.get_by_role("button", name="Admit student").click()
    expect(mentor.locator("#waiting")).to_be_hidden()
    join(mentor, student)
    student.reload()  # who was admitted does not wait again
    expect_pictures(mentor, student)
    expect(student.get_by_role("button", name="End for all")).to_be_hidden()
    mentor.on("dialog", lambda dialog: dialog.accept())
    mentor.get_by_role("button", name="End for all").click()
    for page in (mentor, student):
        expect(notices(page)).to_contain_text("The host has ended the call.")
        expect(page.locator("#in-call")).to_be_empty()
    student.goto("/rooms/later/")
    expect(student.locator(".door")).to_contain_text("This room opens on")
    expect(student.locator("#hint")).to_contain_text("The page opens the room")


def test_without_devices_one_still_watches(enter):
    mentor, student = enter("mentor"), enter("student")
    join(mentor)
    for line, script in WITHOUT.items():
        page = student.context.new_page()
        page.add_init_script(WATCHED + script)
        go_live(page, LOBBY)
        join(page)
        expect(notices(page)).to_contain_text(line)
        page.wait_for_function(MORE, arg=[0], polling=200)
        seen = tile(mentor, "student")
        expect(seen).to_have_attribute("data-video", "none")
        expect(seen.locator(".muted-sign")).to_be_visible(visible="camera" not in line)
        page.close()
        expect(mentor.locator(".tile")).to_have_count(1)


def test_another_camera_is_chosen_and_one_is_pulled_out(enter):
    people = [enter(name) for name in ("student", "mentor")]
    join(*people)
    expect_pictures(*people)
    people[0].get_by_role("button", name="Devices").click()
    cameras = people[0].get_by_label("Camera", exact=True)
    used = cameras.input_value()
    cameras.select_option(index=1)
    people[0].wait_for_function(f"used => {CAMERA}.getSettings().deviceId !== used", arg=used)
    expect_pictures(*people)
    people[0].evaluate(PULL_OUT)
    expect_pictures(*people)


def test_a_connection_that_fails_is_told_and_made_again(enter):
    student, mentor = enter("student", script=ONLY_RELAYS), enter("mentor")
    student.clock.install()
    join(student, mentor)
    student.wait_for_function("() => connections.length === 1")
    student.clock.fast_forward(16_000)
    expect(notices(student)).to_contain_text("There is no connection to mentor. From some networks")
    student.evaluate("connections[0].setConfiguration({ iceTransportPolicy: 'all' })")
    for _ in range(5):  # it is tried again and again; the first time may still be with the old offer
        student.clock.fast_forward(16_000)
        with suppress(PlaywrightTimeout):
            student.wait_for_function("() => connections[0].connectionState === 'connected'", timeout=5_000)
            break
    expect_pictures(student, mentor)
    expect(notices(student)).to_be_empty()


def test_signals_that_were_lost_are_sent_again_when_the_connection_is_back(enter, complaints):
    _, mentor = people = [enter(name) for name in ("student", "mentor")]
    wire, lost = Wire(mentor), []

    def sent(frame):
        if frame["type"] == "webrtc_signal":
            lost.append(frame)
        else:
            Wire.sent(wire, frame)

    go_live(mentor, LOBBY)  # over the wire
    wire.sent = sent
    join(*people)
    mentor.wait_for_function("() => connections[0]?.localDescription")
    mentor.wait_for_function("() => connections[0].iceGatheringState === 'complete'")
    wire.sent = lambda frame: Wire.sent(wire, frame)
    wire.cut()
    expect_pictures(*people)
    assert lost
    for page in people:  # both look for another way at once
        page.evaluate("connections.at(-1).restartIce()")
    expect_pictures(*people)
    forgive(complaints, "already in CLOSING or CLOSED")  # a frame was on its way to the wire as it was cut


def test_a_full_call_says_so_and_a_call_fits_a_phone(enter):
    student = enter("student")
    student.set_viewport_size({"width": 390, "height": 780})
    wire, full = Wire(student), "There are 6 people in this call already"

    def sent(frame):
        if frame["type"] == "call_join":
            wire.received({"type": "error", "id": frame["id"], "code": "call_full", "detail": full})
        else:
            Wire.sent(wire, frame)

    go_live(student, LOBBY)  # over the wire
    wire.sent = sent
    student.locator("#call-join").click()
    expect(notices(student)).to_contain_text(full)
    wire.sent = lambda frame: Wire.sent(wire, frame)
    join(student)
    assert student.evaluate(OVERFLOW) == 0
