"""Accounts in Chromium: signing up, a new password by mail, too many attempts; and a page of another site."""

import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest
from playwright.sync_api import expect

from browser import NOTIFICATIONS, OVERFLOW, VARIANTS, forgive, go_live
from services import HOST
from serving import PASSWORD, each, running

pytestmark = pytest.mark.browser

ADDRESS, NEW = "newcomer@example.com", "a-new-password-for-tests"
FORGET = "from accounts.models import User; User.objects.filter(username='newcomer').delete()"


def submit(page, button, **fields):
    for label, text in fields.items():
        page.get_by_label(re.compile(f"^{label.replace('_', ' ')}:$")).fill(text)
    page.get_by_role("main").get_by_role("button", name=button).click()


def link_in_mail(server):
    """Wait for the mail that a server prints; return the link in it."""
    links = re.compile(rf"{server.url}/accounts/reset/\S+")
    server.wait_until(lambda: links.search(server.output()))
    return links.findall(server.output())[-1]


def test_from_signing_up_to_a_new_password(site, visit, complaints):
    project, _ = site
    with running(project, SIGN_UP="true", EMAIL_URL="console://") as server:
        page = visit(server=server)
        page.get_by_role("link", name="Sign up").click()
        fields = {"Username": "newcomer", "Email_address": ADDRESS, "Password": PASSWORD}
        submit(page, "Sign up", **fields, Password_confirmation=NEW)
        expect(page.locator(".errorlist")).to_contain_text("didn’t match")
        submit(page, "Sign up", **fields, Password_confirmation=PASSWORD)
        expect(page).to_have_url(f"{server.url}/")
        go_live(page, NOTIFICATIONS)

        other = visit("/accounts/login/", server=server)
        other.get_by_role("link", name="Forgot your password?").click()
        submit(other, "Send the link", Email=ADDRESS.upper())
        expect(other.get_by_role("heading", name="Check your email")).to_be_visible()
        other.goto(link_in_mail(server))
        submit(other, "Save password", New_password=NEW, New_password_confirmation=NEW)
        expect(page).to_have_url(re.compile(r"/accounts/login/\?next="))  # the old login has ended
        other.get_by_role("main").get_by_role("link", name="Log in").click()
        submit(other, "Log in", Username_or_email=ADDRESS, Password=NEW)
        expect(other.get_by_role("link", name="newcomer")).to_be_visible()
        for each in (page, other):
            each.context.close()  # or its sockets would look for a server that has ended
    project.manage("shell", "-c", FORGET)
    forgive(complaints, "status of 401 .*/api/ws-ticket/")


@pytest.mark.parametrize("site", each(VARIANTS[:1]), indirect=True)
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_the_window(site, visit, complaints, width):
    """The failed logins are this server's own, whose cache is in its memory."""
    with running(site[0], SIGN_UP="true", EMAIL_URL="console://") as server:
        page = visit(server=server, viewport={"width": width, "height": 780})
        for path in ("sign-up/", "login/", "password_reset/", "password_reset/done/", "reset/a/b/"):
            assert page.goto(f"/accounts/{path}").ok
            assert page.evaluate(OVERFLOW) == 0, path
        with httpx.Client(base_url=server.url, timeout=30) as guesser:
            guesser.get("/accounts/login/")
            guess = {"username": "student", "password": "x"}
            guess["csrfmiddlewaretoken"] = guesser.cookies["csrftoken"]
            while guesser.post("/accounts/login/", data=guess).status_code != 429:
                pass
        page.goto("/accounts/login/")
        submit(page, "Log in", Username_or_email="student", Password=PASSWORD)
        expect(page.get_by_role("heading", name="Too many attempts")).to_be_visible()
        assert page.evaluate(OVERFLOW) == 0
    forgive(complaints, "status of 429 .*/accounts/login/")


# -- A page of another site --------------------------------------------------------------------------------

USE_THE_API = """async ([site, credentials]) => {
  const told = {};
  const post = (path, options) => fetch(site + path, { method: "POST", ...options }).then((r) => r.json());
  const body = JSON.stringify(credentials);
  const { access } = await post("/api/token/", { body, headers: { "Content-Type": "application/json" } });
  const headers = { Authorization: `Bearer ${access}` };
  const answer = await fetch(site + "/api/ws-ticket/", { method: "POST", headers });
  told.api = answer.status;
  const { ticket } = await answer.json();
  const first = (query, protocols) => new Promise((resolve) => {
    const socket = new WebSocket(site.replace("http", "ws") + "/ws/notifications/" + query, protocols);
    socket.onmessage = ({ data }) => resolve(JSON.parse(data).type);
    socket.onclose = ({ code }) => resolve(code);
  });
  told.bearer = await first("", ["bearer", access]);
  told.ticket = await first(`?ticket=${ticket}`, []);
  told.cookie = await first("", []);
  return told;
}"""


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><link rel=icon href=data:,><title>An app elsewhere</title>")

    def log_message(self, *_):
        pass


@contextmanager
def another_site():
    """Serve a page; yield its origin."""
    with ThreadingHTTPServer((HOST, 0), Page) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("site", each(VARIANTS[:2]), indirect=True)
def test_a_page_of_another_site_uses_api_and_sockets_with_a_token(site, log_in, complaints):
    project, _ = site
    arguments = {"username": "student", "password": PASSWORD}
    with another_site() as origin, running(project, CORS_ALLOWED_ORIGINS=origin) as server:
        page = log_in("student", server)  # so there is a cookie, which must not count
        page.goto(origin)
        assert page.evaluate(USE_THE_API, [server.url, arguments]) == {
            "api": 200,
            "bearer": "connection_established",
            "ticket": "connection_established",
            "cookie": 4401,
        }
    assert not complaints


@pytest.mark.parametrize("site", each(VARIANTS[:1]), indirect=True)
def test_without_leave_it_gets_nothing(site, log_in, complaints):
    _, server = site
    with another_site() as origin:
        page = log_in("student")
        page.goto(origin)
        script = "site => fetch(site + '/api/token/', { method: 'POST' }).then(() => 'read', () => 'refused')"
        assert page.evaluate(script, server.url) == "refused"
        script = """site => new Promise((resolve) => {
          const socket = new WebSocket(site.replace("http", "ws") + "/ws/notifications/");
          socket.onopen = () => resolve("open");
          socket.onerror = () => resolve("refused");
        })"""
        assert page.evaluate(script, server.url) == "refused"
    forgive(complaints, "CORS policy|ERR_FAILED|WebSocket connection")
