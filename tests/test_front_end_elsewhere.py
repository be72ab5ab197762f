"""A project without a front end: its own, at another origin, logs in, asks and listens; others do not."""

from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from browser import forgive
from services import HOST
from serving import PASSWORD, each, running
from variants import first

pytestmark = pytest.mark.browser

VARIANTS = [
    first(server="uvicorn", channel_layer="memory", auth=auth) | {"frontend": "none"}
    for auth in ("session", "jwt")  # sockets by cookie, and by ticket
]
KNOWN = {"username": "student", "password": PASSWORD}

# As a front end would: `client/realtime.js` from its own host, and requests with credentials.
START = """async (site) => {
  const { RealtimeSocket } = await import("/realtime.js");
  let token = "";
  window.ask = async (path, body) => {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    const post = body && { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(site + path, { credentials: "include", ...post });
    const content = await answer.json();
    token = content.csrf_token ?? token;
    return { status: answer.status, content };
  };
  window.open = (path, proof) => {
    const authorize = proof === "ticket" && (async () => (await ask("/api/ws-ticket/", {})).content);
    return new RealtimeSocket(path, { base: site, ...(authorize && { authorize }) });
  };
}"""
USE = """async (known) => {
  const told = { before: (await ask("/api/notifications/")).status };
  const proof = (await ask("/api/site/")).content.ws_auth;
  told.user = (await ask("/api/login/", known)).content.user.username;
  const socket = open("/ws/notifications/", proof);
  const state = (wanted) => new Promise((resolve) => {
    socket.on("state", ({ state }) => state === wanted && resolve(state));
  });
  await state("connected");
  const pushed = new Promise((resolve) => socket.on("notification", resolve));
  told.sent = (await ask("/api/notifications/test/", { message: "From elsewhere" })).status;
  told.pushed = (await pushed).data.message;
  told.listed = (await ask("/api/notifications/")).content[0].data.message;
  const closed = state("closed");
  await ask("/api/logout/", {});
  told.state = await closed;
  return told;
}"""
TRY = """async (site) => {
  const told = {};
  const options = { credentials: "include" };
  told.read = await fetch(site + "/api/site/", options).then(() => "read", () => "refused");
  const post = { ...options, method: "POST", mode: "no-cors", body: "{}" };
  await fetch(site + "/api/notifications/test/", post).catch(() => {}); // sent; only the answer is kept back
  told.socket = await new Promise((resolve) => {
    const socket = new WebSocket(site.replace("http", "ws") + "/ws/notifications/");
    socket.onopen = () => resolve("open");
    socket.onerror = () => resolve("refused");
  });
  return told;
}"""


class Page(SimpleHTTPRequestHandler):
    """A page at `/`, and the files of the client."""

    def do_GET(self):
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><link rel=icon href=data:,><title>A front end elsewhere</title>")

    def log_message(self, *_):
        pass


@contextmanager
def front_end(project, host=HOST):
    """Serve a front end; yield its origin, which shares the project's site if it has the same host."""
    handler = partial(Page, directory=project.folder / "client")
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://{host}:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("site", each(VARIANTS), indirect=True)
def test_a_front_end_elsewhere_logs_in_and_foreign_pages_may_not(site, visit, complaints):
    project, _ = site
    with (
        front_end(project) as origin,
        front_end(project) as unknown,
        front_end(project, "localhost") as foreign,
        running(project, FRONTEND_ORIGINS=origin) as server,
    ):
        page = visit(origin, server)
        page.evaluate(START, server.url)
        assert page.evaluate(USE, KNOWN) == {
            "before": 401,
            "user": "student",
            "sent": 200,
            "pushed": "From elsewhere",
            "listed": "From elsewhere",
            "state": "closed",
        }
        page.evaluate("known => ask('/api/login/', known)", KNOWN)  # so there is a cookie again
        forgive(complaints, "status of 401")
        assert not complaints
        for stranger in (unknown, foreign):
            page.goto(stranger)
            assert page.evaluate(TRY, server.url) == {"read": "refused", "socket": "refused"}
        page.goto(origin)
        page.evaluate(START, server.url)
        listed = page.evaluate("ask('/api/notifications/')")["content"]
        assert [each["data"]["message"] for each in listed] == ["From elsewhere"]
    forgive(complaints, "CORS policy|ERR_FAILED|ERR_BLOCKED_BY_RESPONSE|WebSocket connection|status of 403")


@pytest.mark.parametrize("site", each(VARIANTS[:1]), indirect=True)
def test_a_mail_leads_to_the_front_end(site):
    project, _ = site
    with (
        running(project, FRONTEND_ORIGINS="https://app.example.com", EMAIL_URL="console://") as server,
        server.client() as client,
    ):
        client.get("/api/site/")
        headers = {"X-CSRFToken": client.cookies["csrftoken"]}
        answer = client.post("/api/password-reset/", json={"email": "mentor@example.com"}, headers=headers)
        assert answer.status_code == 200
        server.wait_until(lambda: "https://app.example.com/password-reset/" in server.output())


@pytest.mark.parametrize("site", each(VARIANTS[:1]), indirect=True)
def test_staff_see_admin_and_api_and_there_are_no_other_pages(site, visit):
    _, server = site
    page = visit("/admin/login/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    for path in ("/admin/channels/", "/api/asyncapi/"):
        assert page.goto(path).ok
        assert page.title()
    assert httpx.get(f"{server.url}/").headers["Content-Type"] == "application/json"
    for path in ("/accounts/login/", "/rooms/", "/notifications/"):
        assert httpx.get(server.url + path).status_code == 404
