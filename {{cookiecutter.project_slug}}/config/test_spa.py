import os

import pytest
from django.apps import apps
from django.conf import settings

from config import spa


@pytest.fixture
def built(tmp_path, monkeypatch):
    page = tmp_path / "index.html"
    page.write_text("<title>First</title>")
    monkeypatch.setattr(spa, "BUILT", page)
    return page


@pytest.mark.parametrize("path", ["/", "/nowhere/", "/no/where/"])
def test_any_page_is_the_shell_with_a_token_for_forms(client, built, path):
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (200, built.read_text())
    assert "csrftoken" in answer.cookies
    assert answer["Cache-Control"] == "no-cache"  # else an old one would ask for files that are gone


@pytest.mark.parametrize(
    "path", ["/api/nowhere/", "/static/app/assets/nothing.js", "/ws/nowhere/", "/robots.txt"]
)
def test_what_is_no_page_is_not_found(client, built, path):
    assert client.get(path).status_code == 404


def test_the_shell_takes_no_forms(client, built):
    assert client.post("/").status_code == 405


def test_a_new_build_is_served_without_a_restart(client, built):
    client.get("/")
    built.write_text("<title>Second</title>")
    os.utime(built, (1, 1))
    assert client.get("/").text == "<title>Second</title>"


def test_without_a_build_it_says_what_to_do(client, built):
    built.unlink()
    answer = client.get("/")
    assert (answer.status_code, "make build" in answer.text) == (503, True)


def test_the_site_tells_who_looks_and_what_they_may_see(client, admin_client, student):
    client.force_login(student)
    mine, admins = (each.get("/api/site/").json() for each in (client, admin_client))
    assert mine["name"] == settings.PROJECT_NAME
    assert mine["user"] == {"id": student.pk, "username": student.username, "is_staff": False}
    assert admins["user"]["is_staff"]
    entries = [entry for app in apps.get_app_configs() for entry in getattr(app, "nav", ())]
    assert len(admins["nav"]) == len(entries)
    for link in admins["nav"]:
        assert admin_client.get(link["url"]).status_code in (200, 503)  # 503: nothing is built


def test_guests_are_told_no_more_than_they_need(client):
    assert client.get("/api/site/").json()["user"] is None
