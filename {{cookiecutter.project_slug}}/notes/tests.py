import pytest
from rest_framework.test import APIClient

SYNC, ASYNC = "/api/notes/", "/api/async/notes/"


@pytest.fixture
def api():
    return APIClient()


@pytest.mark.parametrize(("path", "other"), [(SYNC, ASYNC), (ASYNC, SYNC)])
def test_both_views_serve_the_same_notes(api, admin, path, other):
    api.force_authenticate(admin)
    made = api.post(path, {"title": "Groceries", "text": "Bread and cheese"})
    assert made.status_code == 201
    note = made.json()
    assert api.get(f"{other}{note['id']}/").json() == note
    assert api.patch(f"{other}{note['id']}/", {"title": "Shopping"}).json() == {**note, "title": "Shopping"}
    assert api.get(path).json()["results"] == api.get(other).json()["results"]
    assert api.post(path, {"title": ""}).status_code == 400
    assert api.delete(f"{path}{note['id']}/").status_code == 204
    assert api.get(other).json()["count"] == 0


@pytest.mark.parametrize(("path", "stranger"), [("/api/schema/", 403), ("/api/docs/", 302)])
def test_only_staff_see_how_the_api_works(client, admin_client, student, path, stranger):
    assert client.get(path).status_code == stranger
    client.force_login(student)
    assert client.get(path).status_code == 403
    assert admin_client.get(path).status_code == 200


@pytest.mark.parametrize("path", [SYNC, ASYNC])
def test_pages_to_browse_may_have_inline_styles(client, admin, path):
    client.force_login(admin)
    page = client.get(path, headers={"accept": "text/html"})
    assert "style-src 'self' 'unsafe-inline'" in page.headers["content-security-policy"]
    assert "unsafe-inline" not in client.get(path).headers["content-security-policy"]


@pytest.mark.parametrize("path", [SYNC, ASYNC])
def test_permissions(api, student, path):
    assert api.get(path).status_code in (401, 403)
    api.force_authenticate(student)
    assert api.get(path).status_code == 200
    assert api.post(path, {"title": "Mine"}).status_code == 403
