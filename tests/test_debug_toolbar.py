"""The Django Debug Toolbar on live pages, under ASGI and this site's security policy."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from browser import LOBBY, REACT, VARIANTS, go_live, said, say
from serving import each, running

# A page that React makes asks for nothing when it is served.
BY_DJANGO = [variant for variant in VARIANTS if variant is not REACT]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("site", each(BY_DJANGO), indirect=True),
]

TOOLBAR = {"DEBUG_TOOLBAR": "true"}


def queries(response):
    """Return how many queries the toolbar has counted for a response; None without a toolbar."""
    counted = re.search(r'"SQL (\d+) quer', response.headers.get("server-timing", ""))
    return counted and int(counted[1])


def test_it_shows_the_queries_of_a_page_with_a_socket(site, log_in):
    project, _ = site
    with running(project, **TOOLBAR) as server:
        page = log_in("student", server)
        go_live(page, LOBBY)
        say(page, "With a toolbar")
        expect(said(page).last).to_have_text("With a toolbar")
        page.locator("#djdt-SQLPanel a").click()
        expect(page.locator("#SQLPanel")).to_contain_text("rooms_room")
        page.close()


def test_it_is_there_only_for_developers_who_ask_for_it(site):
    project, server = site
    assert queries(httpx.get(f"{server.url}/api/asyncapi.json")) is None
    with running(project, DEBUG="false", HTTPS="false", ALLOWED_HOSTS="127.0.0.1", **TOOLBAR) as server:
        answer = httpx.get(f"{server.url}/favicon.ico")
        assert (answer.status_code, queries(answer)) == (302, None)


def test_the_project_s_tests_pass_with_it(site):
    project, _ = site
    assert "passed" in project.make("test", "ARGS=config health", **TOOLBAR)
