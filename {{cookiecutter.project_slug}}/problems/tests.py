import pytest
from rest_framework.test import APIClient

SYNC, ASYNC = "/api/problems/", "/api/async/problems/"


@pytest.fixture
def api():
    return APIClient()


@pytest.mark.parametrize(("path", "other"), [(SYNC, ASYNC), (ASYNC, SYNC)])
def test_both_views_serve_the_same_problems(api, admin, path, other):
    api.force_authenticate(admin)
    made = api.post(path, {"title": "Two sums", "difficulty": "hard"})
    assert made.status_code == 201
    problem = made.json()
    assert api.get(f"{other}{problem['id']}/").json() == problem
    assert api.patch(f"{other}{problem['id']}/", {"title": "Two"}).json() == {**problem, "title": "Two"}
    assert api.get(path).json()["results"] == api.get(other).json()["results"]
    assert api.post(path, {"title": "", "difficulty": "none"}).status_code == 400
    assert api.delete(f"{path}{problem['id']}/").status_code == 204
    assert api.get(other).json()["count"] == 0


@pytest.mark.parametrize("path", [SYNC, ASYNC])
def test_permissions(api, student, path):
    assert api.get(path).status_code in (401, 403)
    api.force_authenticate(student)
    assert api.get(path).status_code == 200
    assert api.post(path, {"title": "Mine"}).status_code == 403
