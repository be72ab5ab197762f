"""The pages' side of a socket, in Chromium: what it does when frames are lost, late, or none of its business.

`Line` stands between a page and the server, or instead of the server.
"""

import json
import re

import pytest

from browser import VARIANTS, forgive
from serving import each

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("site", each(VARIANTS[:1]), indirect=True),  # the script is the same in all
]

OPEN = """async (ticket) => {
  if (ticket) document.querySelector("meta[name=ws-auth]").content = "ticket";
  const { connect } = await import("/static/connect.js");
  window.socket = connect("/ws/news/", { since: 5, ids: { news: "id" } });
  window.heard = [];
  for (const type of ["news", "votes", "gap", "error"]) socket.on(type, (frame) => heard.push(frame));
}"""
REQUEST = """() => {
  window.answers ??= [];
  socket.request({ type: "count" }).then(({ sum }) => answers.push(sum), ({ code }) => answers.push(code));
}"""


class Line:
    """One connection of a page to `/ws/news/`, whose server this is."""

    def __init__(self, route):
        self.route = route
        self.url = route.url
        self.received = []
        route.on_message(lambda text: self.received.append(json.loads(text)))

    def send(self, type, **fields):
        self.route.send(json.dumps({"type": type, **fields}))

    def greet(self):
        self.send("connection_established", heartbeat=25)


def wait(page, condition):
    """Wait until something is so on this side, while the page goes on."""
    for _ in range(2000):
        if condition():
            return
        page.evaluate("new Promise(requestAnimationFrame)")
    raise AssertionError("not so")


@pytest.fixture
def page(log_in):
    """A page without a socket of its own, whose clock the test moves."""
    page = log_in("student")
    page.clock.install()
    return page


@pytest.fixture
def lines(page):
    """The connections that `OPEN` makes in `page`, one after the other."""
    lines = []
    page.route_web_socket(re.compile("/ws/news/"), lambda route: lines.append(Line(route)))
    page.goto("/")
    return lines


def connect(page, lines):
    page.evaluate(OPEN)
    return greeted(page, lines, 1)


def greeted(page, lines, count):
    """Wait for a page's next connection, let it in, and return it."""
    wait(page, lambda: len(lines) == count)
    lines[-1].greet()
    page.wait_for_function("socket.state === 'connected'")
    return lines[-1]


def hears(page, *frames):
    page.wait_for_function("count => heard.length >= count", arg=len(frames))
    assert page.evaluate("heard") == list(frames)


def test_only_replies_and_errors_answer_a_request(page, lines):
    line = connect(page, lines)
    page.evaluate(REQUEST)
    page.evaluate(REQUEST)
    line.send("votes", id=1)
    line.send("error", id=7, code="internal_error")
    line.send("error", code="rate_limited")
    line.send("error", id=2, code="not_allowed", detail="No")
    line.send("reply", id=1, sum=3)
    page.wait_for_function("answers.length === 2")
    assert page.evaluate("answers") == ["not_allowed", 3]
    own = {"type": "error", "id": 7, "code": "internal_error"}
    hears(page, {"type": "votes", "id": 1}, own, {"type": "error", "code": "rate_limited"})


def test_a_request_without_an_answer_times_out(page, lines):
    line = connect(page, lines)
    page.evaluate(REQUEST)
    line.send("votes", id=9)  # the connection is alive
    page.clock.run_for(9_000)
    assert page.evaluate("answers") == []
    page.clock.run_for(2_000)
    assert page.evaluate("[answers, socket.state]") == [["timeout"], "connected"]
    line.send("reply", id=1)  # too late, and no harm
    line.send("votes", id=10)
    hears(page, {"type": "votes", "id": 9}, {"type": "votes", "id": 10})


def test_a_closed_socket_stays_closed(page, lines):
    connect(page, lines)
    page.evaluate(REQUEST)
    page.evaluate("socket.on('state', ({ state }) => heard.push(state)); socket.close()")
    page.evaluate("dispatchEvent(new Event('online')); document.dispatchEvent(new Event('resume'))")
    page.clock.run_for(60_000)
    page.evaluate(REQUEST)
    page.evaluate("socket.close()")
    assert page.evaluate("[answers, heard, socket.state]") == [["closed", "offline"], ["closed"], "closed"]
    assert len(lines) == 1


def test_a_listener_can_be_taken_off(page, lines):
    line = connect(page, lines)
    page.evaluate("socket.on('votes', () => { throw 'still on' })()")
    line.send("votes")
    hears(page, {"type": "votes"})


def test_stored_frames_are_shown_once_and_a_gap_moves_the_mark(page, lines):
    line = connect(page, lines)
    for id in (5, 6, 6, 4, 8):
        line.send("news", id=id)
    line.send("gap", asked=8, resumed=20)
    for id in (20, 21):
        line.send("news", id=id)
    line.route.close()
    page.clock.run_for(1_000)
    line = greeted(page, lines, 2)
    line.send("gap", asked=21, resumed=3)
    line.send("news", id=4)
    line.route.close()
    page.clock.run_for(1_000)
    greeted(page, lines, 3)
    assert [re.search(r"since=(\d+)", line.url)[1] for line in lines] == ["5", "21", "4"]
    ids = page.evaluate("heard.map(({ id, resumed }) => id ?? `gap to ${resumed}`)")
    assert ids == [6, 8, "gap to 20", 21, "gap to 3", 4]


def test_a_connection_that_hangs_is_given_up(page, lines):
    page.evaluate(OPEN)
    wait(page, lambda: len(lines) == 1)  # and never greets
    lines[0].send("reconnect", after=0)
    page.clock.run_for(11_000)
    line = greeted(page, lines, 2)
    page.clock.run_for(26_000)
    wait(page, lambda: {"type": "ping"} in line.received)  # no pong comes
    page.clock.run_for(12_000)
    greeted(page, lines, 3)


@pytest.mark.parametrize("code", [1013, 4013, 4429])
def test_a_busy_server_is_left_alone_for_a_while(page, lines, code):
    connect(page, lines).route.close(code=code)
    page.wait_for_function("socket.state === 'reconnecting'")
    page.clock.run_for(4_900)
    assert len(lines) == 1
    page.clock.run_for(5_200)
    greeted(page, lines, 2)


@pytest.mark.parametrize(
    "event",
    [
        "dispatchEvent(new Event('online'))",
        "document.dispatchEvent(new Event('visibilitychange'))",
        "document.dispatchEvent(new Event('resume'))",
        "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))",
    ],
)
def test_a_page_that_wakes_comes_back_at_once(page, lines, event):
    connect(page, lines).route.close(code=1013)
    page.wait_for_function("socket.state === 'reconnecting'")
    page.evaluate(event)
    line = greeted(page, lines, 2)
    page.evaluate(event)
    wait(page, lambda: line.received == [{"type": "ping"}])


def test_a_ticket_that_cannot_be_fetched_is_asked_for_again(page, lines, complaints):
    answers = [{"status": 503, "json": {"detail": "Not now"}}, None, "hang", {"json": {"ticket": "abc"}}]
    asked = []

    def ticket(route):
        asked.append(answers[min(len(asked), 3)])
        if asked[-1] is None:
            route.abort()
        elif asked[-1] != "hang":
            route.fulfill(**asked[-1])

    page.route("**/api/ws-ticket/", ticket)
    page.evaluate(OPEN, True)

    def let_time_pass():  # however long it waits before it asks again, and for an answer
        page.clock.run_for(500)
        return lines

    wait(page, let_time_pass)
    greeted(page, lines, 1)
    assert (asked, lines[0].url.endswith("ticket=abc")) == (answers, True)
    forgive(complaints, "503|ERR_FAILED")


@pytest.mark.parametrize("codes", [[4401, 4401], [4403], [4404], [4410]])
def test_a_page_that_is_never_let_in_stays_where_it_is(page, lines, codes):
    page.evaluate(OPEN)
    for count, code in enumerate(codes, 1):
        wait(page, lambda count=count: len(lines) == count)
        lines[-1].route.close(code=code)
        page.wait_for_function("socket.state !== 'connecting'")
        page.clock.run_for(1_000)
    page.wait_for_function("socket.state === 'closed'")
    assert page.url.endswith("/")
