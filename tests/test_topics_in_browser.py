"""One WebSocket for a page, and for all tabs of a browser, in Chromium."""

import re

import pytest
from playwright.sync_api import expect

from browser import NOTIFICATIONS, VARIANTS, expect_state, forgive
from conversation import NOTIFICATIONS as NOTICES
from serving import each, running

pytestmark = pytest.mark.browser

CONNECT = """async ([share, paths]) => {
  document.querySelector("meta[name=ws-share]").content = share;
  const { connect } = await import("/static/connect.js");
  window.sockets = paths.map((path) => connect(path));
}"""
STATES = "() => sockets.map(({ state }) => state)"
ROOM = "/ws/rooms/lobby/"
THREE = [ROOM, NOTICES, "/ws/leaderboard/"]


@pytest.fixture(scope="module", params=each(VARIANTS[1:2]))  # whose sockets come by tickets
def site(request, installed):
    """A project whose pages share one socket with all tabs, and its server."""
    project = installed(request.param)
    with running(project, WS_SHARE="browser") as server:
        yield project, server


class Open:
    """How many of the sockets that a server has opened since are open, by their consumers."""

    def __init__(self, server, start=None):
        self.server = server
        self.start = len(server.output()) if start is None else start

    def __call__(self, consumer):
        return len(self.ids(f"{consumer} opened") - self.ids(f"{consumer} closed with .*"))

    def ever(self, consumer):
        return len(self.ids(f"{consumer} opened"))

    def ids(self, what):
        return set(re.findall(rf"{what} \[socket=([\w.]+)", self.server.output()[self.start :]))


@pytest.fixture
def opened(site):
    return Open(site[1])


def wait(page, condition):
    """Wait until something is so on the server, while a page goes on."""
    for _ in range(500):
        if condition():
            return
        page.wait_for_timeout(20)
    raise AssertionError("not so")


def connect(page, share, *paths):
    page.evaluate(CONNECT, [share, paths])
    page.wait_for_function("() => sockets.every(({ state }) => state === 'connected')")


def send_notification(page):
    page.evaluate("""async () => {
      const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
      const body = new URLSearchParams({ csrfmiddlewaretoken: token });
      await fetch("/notifications/test/", { method: "POST", body });
    }""")


def tabs_of(page, number):
    """Return so many tabs of a browser that show notifications, with the first one."""
    tabs = [page, *(page.context.new_page() for _ in range(number - 1))]
    for tab in tabs:
        tab.goto(NOTIFICATIONS)
        expect_state(tab, "connected")
    return tabs


def test_a_page_with_three_consumers_has_one_socket(log_in, opened):
    page, sockets = log_in("student"), []
    page.on("websocket", lambda socket: sockets.append(socket.url.partition("?")[0].rpartition(":")[2]))
    connect(page, "page", *THREE)
    assert [url.partition("/")[2] for url in sockets] == ["ws/"]
    assert opened.ever("TopicsConsumer") == 1
    assert page.evaluate("sockets[0].request({ type: 'chat_message', message: 'Over one' })")["ok"]
    page.evaluate("() => { sockets[1].on('notification', (frame) => { window.notice = frame; }); }")
    send_notification(page)
    page.wait_for_function("() => window.notice?.topic.startsWith('/ws/notifications/')")
    page.evaluate("sockets[0].close()")
    wait(page, lambda: opened("RoomConsumer") == 0)
    assert page.evaluate(STATES) == ["closed", "connected", "connected"]


def test_five_tabs_have_one_socket_and_one_that_goes_frees_its_topics(log_in, opened):
    tabs = tabs_of(log_in("student"), 5)
    assert (opened("TopicsConsumer"), opened("NotificationConsumer")) == (1, 5)
    before = int(tabs[0].locator("#unread").inner_text() or 0)
    send_notification(tabs[0])
    for tab in tabs:
        expect(tab.locator("#unread")).to_have_text(str(before + 1))
    tabs[0].close()  # also the one whose proof the connection has
    tabs[1].goto("/")
    wait(tabs[1], lambda: opened("NotificationConsumer") == 3)
    tabs[1].go_back(wait_until="commit")
    for tab in tabs[1:]:
        expect_state(tab, "connected")
    assert (opened("TopicsConsumer"), opened.ever("TopicsConsumer")) == (1, 1)
    other = tabs[1].context.new_page()
    for tab in tabs[1:]:
        tab.close()
    wait(other, lambda: opened("TopicsConsumer") == 0)


def test_tabs_come_back_over_one_after_a_restart(site, log_in, complaints):
    project, _ = site
    with running(project, WS_SHARE="browser") as first:
        tabs = tabs_of(log_in("student", first), 3)
    for tab in tabs:
        expect_state(tab, "reconnecting|offline")
    with running(project, WS_SHARE="browser", port=first.port) as second:
        opened = Open(second, start=0)
        for tab in tabs:
            expect_state(tab, "connected")
        assert (opened("TopicsConsumer"), opened("NotificationConsumer")) == (1, 3)
        for tab in tabs:
            tab.close()
    forgive(complaints, "WebSocket connection|ERR_CONNECTION_REFUSED")


def test_who_logs_out_in_one_tab_is_logged_out_in_all(log_in, complaints):
    tabs = tabs_of(log_in("mentor"), 3)
    tabs[0].get_by_role("button", name="Log out").click()
    for tab in tabs[1:]:
        expect(tab).to_have_url(re.compile("/accounts/login/"))
    forgive(complaints, "status of 401 .*/api/ws-ticket/")


def test_a_guest_gets_nothing_of_what_a_user_has(log_in, opened):
    page = log_in("student")
    tabs_of(page, 2)
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.evaluate("document.querySelector('meta[name=ws-auth]').content = ''")
    page.evaluate(CONNECT, ["browser", [NOTICES]])
    page.wait_for_function("() => sockets[0].state === 'closed'")
    assert opened("NotificationConsumer") == 1


def test_without_a_worker_each_tab_has_its_own(log_in, opened):
    page = log_in("student")
    page.context.add_init_script("delete globalThis.SharedWorker")
    tabs_of(page, 2)
    assert (opened("TopicsConsumer"), opened("NotificationConsumer")) == (2, 2)


def test_a_worker_that_does_not_start_is_done_without(log_in, opened, complaints):
    page = log_in("student")
    page.context.route("**/worker*.js", lambda route: route.abort())
    tabs_of(page, 1)
    assert (opened("TopicsConsumer"), opened("NotificationConsumer")) == (1, 1)
    forgive(complaints, "worker")


def test_where_nothing_takes_topics_each_has_a_socket(log_in, opened):
    page = log_in("student")
    page.route_web_socket(re.compile("/ws/($|[?])"), lambda route: route.close(code=4404))
    connect(page, "page", *THREE)
    assert opened.ever("TopicsConsumer") == 0
    assert (opened("RoomConsumer"), opened("NotificationConsumer")) == (1, 1)
