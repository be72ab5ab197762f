"""The pages of a running project in Chromium, one browser context for each person who is logged in."""

import json
import re
import shutil

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from offered import CONFIG
from serving import PASSWORD, each, running
from variants import first

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
BROWSERS = ["chromium-headless-shell", "chromium"]  # the first takes two thirds of the time, if it is there
LOBBY, NOTIFICATIONS = "/rooms/lobby/", "/notifications/"
LEFT_EARLY = "WebSocket is closed before the connection is established"  # of a page that tests leave at once
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

expect.set_options(timeout=15_000)  # ms; a page that comes back waits up to 10 s


newest, older = CONFIG["django_version"]
TEMPLATES = first(server="uvicorn", channel_layer="memory", auth="session_jwt", rest_api="drf")
REACT = TEMPLATES | {"frontend": "react"}
FRONT_ENDS = [TEMPLATES, REACT]  # the scripts of each are the same in all variants
VARIANTS = [
    TEMPLATES,
    first(server="granian", channel_layer="redis", auth="jwt", django_version=newest),  # sockets by ticket
    first(rest_api="drf", auth="session", django_version=older),
    REACT,
]


@pytest.fixture(scope="module")
def chromium(request):
    """The browser, with the flags that a module adds as `BROWSER_FLAGS`; with `BROWSERS` it says which.

    It ends with this module, since no other event loop can run beside Playwright's.
    """
    paths = map(shutil.which, getattr(request.module, "BROWSERS", BROWSERS))
    path = next(filter(None, paths), None)
    assert path, "There is no chromium on the PATH; install it, or run `make test`, which does without it."
    flags = FLAGS + getattr(request.module, "BROWSER_FLAGS", ())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=flags, ignore_default_args=["--disable-back-forward-cache"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=each(VARIANTS))
def site(request, installed):
    """A project that is being served, and its server."""
    project = installed(request.param)
    with running(project) as server:
        yield project, server


def is_react(site):
    return site[0].variant.get("frontend") == "react"


@pytest.fixture
def complaints():
    """What consoles say: errors, warnings, violations of the security policy. None may be left."""
    complaints = []
    yield complaints
    assert not complaints, complaints


def forgive(complaints, reason):
    """Take off the complaints that were to be expected, for this reason."""
    complaints[:] = [complaint for complaint in complaints if not re.search(reason, complaint)]


@pytest.fixture
def visit(site, chromium, complaints):
    """Return a function that opens the site in a browser of its own, and returns the page."""
    contexts = []

    def hear(message):
        if LEFT_EARLY in message.text:
            return
        if message.type in ("error", "warning"):
            complaints.append(f"{message.page.url}: {message.text} {message.location['url']}")

    def visit(path="/", server=site[1], cookies=(), **options):
        context = chromium.new_context(base_url=server.url, **options)
        context.add_cookies([{"name": name, "value": cookies[name], "url": server.url} for name in cookies])
        contexts.append(context)
        context.on("console", hear)
        context.on("weberror", lambda error: complaints.append(f"{error.page.url}: {error.error}"))
        page = context.new_page()
        page.goto(path)
        return page

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def log_in(site, visit):
    """Return a function that logs a user in, who gets a browser of their own, and returns its page."""

    def log_in(username, server=site[1]):
        known = {"username": username, "password": PASSWORD}
        with httpx.Client(base_url=server.url, timeout=30) as client:  # a browser takes longer
            client.get("/accounts/login/")
            known["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
            assert client.post("/accounts/login/", data=known).status_code == 302
            return visit("/", server, cookies=dict(client.cookies))

    return log_in


def submit_login(page, username):
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()


def go_live(page, path):
    assert page.goto(path).ok
    expect_state(page, "connected")


def expect_state(page, state):
    expect(page.locator("#state")).to_have_attribute("data-state", re.compile(state))


def say(page, text):
    page.get_by_label("Your message").fill(text)
    page.get_by_role("button", name="Send").click()


def said(page):
    return page.locator("#messages .body")


class Wire:
    """What lies between a page's own socket, which is not that of its header, and the server.

    `sent` and `received` say what becomes of each frame.
    """

    def __init__(self, page, path="/ws/(?!notifications/)"):
        self.page = page
        page.route_web_socket(re.compile(path), self.connect)

    def connect(self, route):
        self.route, self.server = route, route.connect_to_server()
        route.on_message(lambda text: self.sent(json.loads(text)))
        self.server.on_message(lambda text: self.received(json.loads(text)))

    def sent(self, frame):
        self.server.send(json.dumps(frame))

    def received(self, frame):
        self.route.send(json.dumps(frame))

    def cut(self):
        self.server.close()
        self.route.close(code=1012)
