import pytest
from django.apps import apps
from django.conf import settings


@pytest.mark.parametrize("path", ["/", "/accounts/password_change/"])
def test_pages(admin_client, path):
    assert admin_client.get(path).status_code == 200


def test_admin_is_shown_to_staff_alone(client, admin_client, student):
    client.force_login(student)
    assert 'href="/admin/"' in admin_client.get("/").text
    assert 'href="/admin/"' not in client.get("/").text


def test_browsers_find_the_icon(client):
    assert client.get("/favicon.ico").url == f"{settings.STATIC_URL}favicon.svg"


def test_every_page_of_the_menu_is_there(admin_client):
    entries = [entry for app in apps.get_app_configs() for entry in getattr(app, "nav", ())]
    home = admin_client.get("/")
    assert len(home.context["nav"]) == len(entries)
    for address, label, text in home.context["nav"]:
        assert admin_client.get(address).status_code == 200
        assert (label in home.text, text in home.text) == (True, True)
