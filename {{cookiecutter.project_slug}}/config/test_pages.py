import pytest
from django.apps import apps


@pytest.mark.parametrize("path", ["/", "/accounts/password_change/"])
def test_pages(admin_client, path):
    assert admin_client.get(path).status_code == 200


def test_the_way_to_the_admin_is_shown_to_staff_alone(client, admin_client, student):
    client.force_login(student)
    assert 'href="/admin/"' in admin_client.get("/").text
    assert 'href="/admin/"' not in client.get("/").text


def test_every_page_of_the_menu_is_there(admin_client):
    entries = [entry for app in apps.get_app_configs() for entry in getattr(app, "nav", ())]
    home = admin_client.get("/")
    assert len(home.context["nav"]) == len(entries)
    for address, label, text in home.context["nav"]:
        assert admin_client.get(address).status_code == 200
        assert (label in home.text, text in home.text) == (True, True)


def test_pages_for_developers_are_shown_to_staff_or_with_debug(client, admin_client, student, settings):
    client.force_login(student)
    shown = 'href="/api/asyncapi/"'
    assert (shown in client.get("/").text, shown in admin_client.get("/").text) == (False, True)
    settings.DEBUG = True
    assert shown in client.get("/").text
