"""The video call of a room, in Chromium with made-up cameras: pictures of the others really arrive."""

import re
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from browser import FLAGS, LOBBY, OVERFLOW, VARIANTS, expect_state, forgive, go_live
from serving import each, running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("site", each(VARIANTS[:1]), indirect=True),  # the scripts are the same in all
]

MEDIA_FLAGS = (
    "--use-fake-device-for-media-stream",
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


def test_two(enter):
    student, mentor = enter("student"), enter("mentor")
    join(student, mentor)
    expect_pictures(student, mentor)
    student.screenshot(path="/tmp/w/call-two.png")
