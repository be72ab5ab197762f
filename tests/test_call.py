"""The video call of a room, in Chromium with made-up cameras: pictures of the others really arrive."""

import re
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from browser import FLAGS, LOBBY, OVERFLOW, VARIANTS, Wire, expect_state, forgive, go_live
from serving import each, running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("site", each(VARIANTS[:1]), indirect=True),  # the scripts are the same in all
]

MEDIA_FLAGS = (
    "--use-fake-device-for-media-stream=device-count=2",
    "--use-fake-ui-for-media-stream",
    # Without a microphone a page gets names for the addresses of this machine that multicast DNS would
    # have to resolve, which has no network here.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)
# How many pictures have come over the connections that a page has open, one number for each.
WATCHED = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...settings) {
    super(...settings);
    connections.push(this);
  }
};
window.decoded = () => Promise.all(connections.filter((one) => one.connectionState === "connected").map(async (one) => {
  const reports = [...(await one.getStats()).values()];
  return reports.find(({ type, kind }) => type === "inbound-rtp" && kind === "video")?.framesDecoded ?? 0;
}));
"""
MORE = "async before => { const now = await decoded(); return now.length === before.length && now.every((n, i) => n > before[i] + 3) }"
NO_DEVICES = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError') }"
DENIED = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError') }"
NO_CAMERA = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (wanted.video) throw new DOMException("", "NotFoundError");
  return ask(wanted);
};
"""


@pytest.fixture(scope="module")
def chromium():
    """A browser whose cameras are made up, and which lets every page use them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS + MEDIA_FLAGS
        )
        yield browser
        browser.close()


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


def tiles(page, name=None):
    """The tiles of a page that show a connection that stands, or the one of a user."""
    tiles = page.locator(".tile[data-state=connected]")
    return tiles.filter(has=page.locator(".name", has_text=re.compile(f"^{name}$"))) if name else tiles


def expect_pictures(*pages):
    """Each page sees all others: their pictures go on coming."""
    for page in pages:
        expect(tiles(page)).to_have_count(len(pages))
        expect(page.locator(".tile")).to_have_count(len(pages))
    for page in pages:
        before = page.evaluate("decoded()")
        assert len(before) == len(pages) - 1
        page.wait_for_function(f"before => ({MORE})(before)", arg=before, polling=200)


def test_three_people_see_each_other_also_after_a_reload(enter):
    student, mentor, admin = people = [enter(name) for name in ("student", "mentor", "admin")]
    join(student, mentor)
    expect_pictures(student, mentor)
    expect(admin.locator("#in-call")).to_have_text("student and mentor are in a call.")
    join(admin)
    expect_pictures(*people)
    student.get_by_role("button", name="Mute").click()
    for page in people:
        page.screenshot(path=f"/tmp/w/call-{people.index(page)}.png")
        page.reload()
        expect_pictures(*people)
    expect(student.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    expect(tiles(mentor, "student")).to_contain_text("muted")


def test_pictures_go_on_while_the_server_is_away_and_after_it_is_back(site, enter, complaints, monkeypatch):
    project, _ = site
    with running(project) as server:
        student, mentor = people = [enter(name, server=server) for name in ("student", "mentor")]
        join(*people)
        expect_pictures(*people)
    for page in people:
        expect_state(page, "reconnecting|offline")
        expect(page.locator("#call-notices")).to_contain_text("The server does not answer")
    expect_pictures(*people)
    student.get_by_role("button", name="Mute").click()
    expect(tiles(mentor, "student")).to_contain_text("muted")
    monkeypatch.setattr("serving.free_port", lambda: server.port)  # where the pages look for it
    with running(project):
        for page in people:
            expect_state(page, "connected")
            expect(page.locator("#call-notices")).to_be_empty()
        expect_pictures(*people)
        assert [page.evaluate("connections.length") for page in people] == [1, 1]  # the same ones all the time
        admin = enter("admin", server=server)
        join(admin)
        expect_pictures(*people, admin)
        mentor.reload()
        expect_pictures(*people, admin)
        for page in (*people, admin):
            page.close()
    forgive(complaints, "ERR_CONNECTION_REFUSED")


def test_muting_the_camera_the_screen_and_leaving(enter):
    student, mentor = people = [enter(name) for name in ("student", "mentor")]
    join(*people)
    expect_pictures(*people)
    seen = tiles(mentor, "student")
    for button, shown in (("Mute", "muted"), ("Camera off", "student")):
        toggle = student.get_by_role("button", name=button)
        toggle.click()
        expect(toggle).to_have_attribute("aria-pressed", "true")
        expect(seen).to_contain_text(shown)
    expect(seen).to_have_attribute("data-video", "none")
    student.get_by_role("button", name="Share screen").click()
    expect(seen).to_have_attribute("data-video", "screen")
    expect_pictures(*people)
    mentor.screenshot(path="/tmp/w/call-screen.png")
    student.get_by_role("button", name="Share screen").click()
    expect(seen).to_have_attribute("data-video", "none")
    student.get_by_role("button", name="Camera off").click()
    expect(seen).to_have_attribute("data-video", "camera")
    expect_pictures(*people)
    student.get_by_role("button", name="Leave").click()
    expect(student.locator("#call-join")).to_be_focused()
    expect(mentor.locator(".tile")).to_have_count(1)
    join(student)
    expect_pictures(*people)
    student.context.close()  # without a word
    expect(mentor.locator(".tile")).to_have_count(1)


MEETING = """\
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from rooms.models import Room
mentor = User.objects.get(username="mentor")
Room.objects.create(slug="interview", name="Interview", host=mentor, waits=True)
soon = timezone.now() + timedelta(hours=1)
Room.objects.create(slug="tomorrow", name="Tomorrow", host=mentor, starts_at=soon, ends_at=soon + timedelta(hours=1))
"""


def test_who_waits_is_admitted_or_refused_and_the_host_ends_the_call_for_all(site, enter, log_in):
    site[0].manage("shell", "-c", MEETING)
    mentor = enter("mentor", "/rooms/interview/")
    student, admin = guests = [enter(name, "/rooms/interview/") for name in ("student", "admin")]
    for page in guests:
        expect(page.locator("#hint")).to_contain_text("as soon as you are admitted")
    expect(mentor.locator("#waiting h2")).to_have_text("2 people wait to come in")
    mentor.screenshot(path="/tmp/w/call-waiting.png")
    student.screenshot(path="/tmp/w/call-waits.png")
    mentor.get_by_role("button", name="Refuse admin").click()
    expect(admin.locator("#state")).to_have_text("The host does not let you in.")
    mentor.get_by_role("button", name="Admit student").click()
    expect(mentor.locator("#waiting")).to_be_hidden()
    join(mentor, student)
    expect_pictures(mentor, student)
    student.reload()  # who was admitted does not wait again
    expect_pictures(mentor, student)
    expect(student.get_by_role("button", name="End for all")).to_be_hidden()
    mentor.on("dialog", lambda dialog: dialog.accept())
    mentor.get_by_role("button", name="End for all").click()
    for page in (mentor, student):
        expect(page.locator("#call-notices")).to_have_text("The host has ended the call.")
        expect(page.locator("#in-call")).to_be_empty()
    student.reload()
    expect_state(student, "connected")
    expect(student.locator("#call-inside")).to_be_hidden()

    student.goto("/rooms/tomorrow/")
    expect(student.get_by_role("main")).to_contain_text("This room opens on")
    expect(student.locator("#hint")).to_contain_text("The page opens the room when it begins")
    student.screenshot(path="/tmp/w/call-later.png")


WITHOUT = {
    "No camera was found.": NO_CAMERA,
    "No microphone was found.": NO_DEVICES,
    "The browser does not let this page use the microphone.": DENIED,
    "over HTTPS only": "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })",
}


def test_without_devices_one_still_watches(enter):
    mentor, student = enter("mentor"), enter("student")
    join(mentor)
    for line, script in WITHOUT.items():
        page = student.context.new_page()
        page.add_init_script(WATCHED + script)
        go_live(page, LOBBY)
        join(page)
        expect(page.locator("#call-notices")).to_contain_text(line)
        expect(tiles(page)).to_have_count(2)
        page.wait_for_function(f"() => ({MORE})([0])", polling=200)
        expect(tiles(mentor, "student")).to_have_attribute("data-video", "none")
        expect(tiles(mentor, "student").locator(".muted-sign")).to_be_visible(visible=script != NO_CAMERA)
        page.close()
        expect(mentor.locator(".tile")).to_have_count(1)


def test_a_connection_that_fails_is_told_and_made_again(enter):
    """Of all ways only relays are allowed, of which this site has none; then both look for another way at once."""
    relay = "window.RTCPeerConnection = class extends RTCPeerConnection { constructor(settings) { super({ ...settings, iceTransportPolicy: 'relay' }) } };"
    student, mentor = enter("student", script=relay), enter("mentor")
    student.clock.install()
    join(student, mentor)
    student.wait_for_function("() => connections.length === 1")
    student.clock.fast_forward(16_000)
    expect(student.locator("#call-notices")).to_contain_text("There is no connection to mentor. From some networks")
    student.evaluate("connections[0].setConfiguration({ iceTransportPolicy: 'all' })")
    student.evaluate("connections[0].restartIce()")
    expect_pictures(student, mentor)
    expect(student.locator("#call-notices")).to_be_empty()


def test_signals_that_were_lost_are_sent_again_when_the_connection_is_back(enter):
    student, mentor = people = [enter(name) for name in ("student", "mentor")]
    wire, lost = Wire(mentor), []

    def sent(frame):
        if frame["type"] == "webrtc_signal":
            lost.append(frame)
        else:
            Wire.sent(wire, frame)

    go_live(mentor, LOBBY)  # over the wire
    wire.sent = sent
    join(*people)
    expect(mentor.locator(".tile")).to_have_count(2)
    mentor.wait_for_function("() => connections.length === 1")
    wire.sent = lambda frame: Wire.sent(wire, frame)
    wire.cut()
    expect_pictures(*people)
    for page in people:  # both look for another way at once
        page.evaluate("connections.at(-1).restartIce()")
    expect_pictures(*people)
    assert lost


def test_a_call_of_six_is_full(enter):
    student = enter("student")
    wire = Wire(student)

    def sent(frame):
        if frame["type"] == "call_join":
            full = "There are 6 people in this call already"
            wire.received({"type": "error", "id": frame["id"], "code": "call_full", "detail": full})
        else:
            Wire.sent(wire, frame)

    go_live(student, LOBBY)
    wire.sent = sent
    student.locator("#call-join").click()
    expect(student.locator("#call-notices")).to_have_text("There are 6 people in this call already")
    expect(student.locator("#call-inside")).to_be_hidden()


def test_the_call_moves_to_another_tab(enter):
    student, mentor = people = [enter(name) for name in ("student", "mentor")]
    join(*people)
    expect_pictures(*people)
    tab = student.context.new_page()
    tab.add_init_script(WATCHED)
    go_live(tab, LOBBY)
    join(tab)
    expect(student.locator("#call-notices")).to_have_text("The call goes on in another tab.")
    expect_pictures(tab, mentor)


def test_another_camera_is_chosen_and_one_is_pulled_out(enter):
    student, mentor = people = [enter(name) for name in ("student", "mentor")]
    join(*people)
    expect_pictures(*people)
    student.get_by_role("button", name="Devices").click()
    used = "() => document.querySelector('.own video').srcObject.getVideoTracks()[0].getSettings().deviceId"
    first = student.evaluate(used)
    options = student.get_by_label("Camera", exact=True).locator("option")
    other = [value for value in options.evaluate_all("all => all.map(({ value }) => value)") if value != first][0]
    student.get_by_label("Camera", exact=True).select_option(other)
    student.wait_for_function(f"other => ({used})() === other", arg=other)
    expect_pictures(*people)
    student.evaluate("""() => {
      const [track] = document.querySelector(".own video").srcObject.getTracks();
      track.stop();
      track.dispatchEvent(new Event("ended"));
    }""")
    expect_pictures(*people)


@pytest.mark.parametrize("scheme", ["dark"])
def test_a_call_fits_a_phone(enter, scheme):
    student, mentor, admin = people = [enter("student"), enter("mentor"), enter("admin")]
    student.set_viewport_size({"width": 390, "height": 780})
    student.emulate_media(color_scheme=scheme)
    join(*people)
    expect_pictures(*people)
    admin.get_by_role("button", name="Camera off").click()
    assert student.evaluate(OVERFLOW) == 0
    student.screenshot(path=f"/tmp/w/call-phone-{scheme}.png")
    mentor.get_by_role("button", name="Share screen").click()
    expect(tiles(student, "mentor")).to_have_attribute("data-video", "screen")
    student.wait_for_timeout(1000)
    student.screenshot(path=f"/tmp/w/call-phone-{scheme}-screen.png")
    student.set_viewport_size({"width": 1280, "height": 780})
    student.wait_for_timeout(1000)
    student.screenshot(path=f"/tmp/w/call-wide-{scheme}.png")
    student.set_viewport_size({"width": 390, "height": 780})
    student.get_by_role("button", name="Devices").click()
    student.screenshot(path=f"/tmp/w/call-devices-{scheme}.png")
