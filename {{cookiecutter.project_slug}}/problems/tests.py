import json

import pytest
from asgiref.sync import sync_to_async
from rest_framework.test import APIClient

from problems import listing
from problems.models import Problem, Submission, SubscriptionPlan

SYNC, ASYNC, SUBMISSIONS = "/api/problems/", "/api/async/problems/", "/api/submissions/"
TESTS = [{"input": "1 2", "output": "3"}]


@pytest.fixture
def api():
    return APIClient()


@pytest.fixture
def problem(transactional_db):
    return Problem.objects.create(slug="sum", title="Sum", difficulty=800, tests=TESTS)


@pytest.mark.parametrize(("path", "other"), [(SYNC, ASYNC), (ASYNC, SYNC)])
def test_both_views_serve_the_same_problems(api, admin, path, other):
    api.force_authenticate(admin)
    made = api.post(path, {"slug": "sum", "title": "Sum", "tests": TESTS}, format="json")
    assert made.status_code == 201
    problem = made.json()
    assert Problem.objects.get().tests == TESTS
    api.force_authenticate(None)
    assert api.get(f"{path}sum/").json() == api.get(f"{other}sum/").json() == problem
    assert api.get(path).json()["results"] == api.get(other).json()["results"] == [problem]
    api.force_authenticate(admin)
    changed = {**problem, "title": "Sums"}
    assert api.patch(f"{path}sum/", {"title": "Sums"}, format="json").json() == changed
    assert api.get(f"{other}sum/").json() == api.get(other).json()["results"][0] == changed
    assert api.delete(f"{path}sum/").status_code == 204
    assert api.get(f"{other}sum/").status_code == 404
    assert api.get(other).json()["count"] == 0


@pytest.mark.parametrize("path", [SYNC, ASYNC])
def test_all_read_and_staff_write(api, student, problem, path):
    assert "tests" not in api.get(f"{path}sum/").json()
    assert api.post(path, {"slug": "mine"}).status_code in (401, 403)
    api.force_authenticate(student)
    assert api.post(path, {"slug": "mine"}).status_code == 403
    assert api.delete(f"{path}sum/").status_code == 403


@pytest.mark.parametrize("path", [SYNC, ASYNC])
def test_what_is_wrong_with_a_problem_is_said(api, admin, problem, path):
    api.force_authenticate(admin)
    for wrong in (
        {"tests": "none"},
        {"tests": [{"input": "1"}]},
        {"tests": [{"input": 1, "output": "1"}]},
        {"tests": [{"input": "\0", "output": "1"}]},
        {"tests": [{"input": "1", "output": "\ud800"}]},
        {"tests": TESTS * 101},
        {"slug": "sum"},
        {"slug": "no slug"},
        {"slug": "extract"},
        {"time_limit_ms": 0},
        {"memory_mib": 100_000},
    ):
        data = json.dumps({"slug": "other", "title": "Other", **wrong})
        answer = api.post(path, data, content_type="application/json")
        assert (answer.status_code, list(answer.json())) == (400, list(wrong)), wrong


def test_a_slug_that_no_database_takes(api, transactional_db):
    for path in (SYNC, ASYNC):
        assert api.get(f"{path}%00/").status_code == 404


def test_pages_are_the_same(api, transactional_db):
    Problem.objects.bulk_create(Problem(slug=f"p{n}", title=f"Problem {n}") for n in range(120))
    for page in ("1", "2", "3"):
        one, two = (api.get(path, {"page": page}).json() for path in (SYNC, ASYNC))
        assert one["results"] == two["results"]
        assert one["count"] == two["count"] == 120
        assert str(two["next"]).endswith(f"{ASYNC}?page={int(page) + 1}") or page == "3"
    for page in ("0", "4", "-1", "last", "x", "9" * 5000):
        assert [api.get(path, {"page": page}).status_code for path in (SYNC, ASYNC)] == [404, 404], page


async def test_a_list_is_read_once_until_it_changes(problem, monkeypatch):
    reads, read = [], listing.read

    def counted(number):
        reads.append(number)
        return read(number)

    monkeypatch.setattr(listing, "read", counted)

    async def titles():
        return [row["title"] for row in (await listing.page("1")).rows]

    assert [await titles(), await titles(), reads] == [["Sum"], ["Sum"], [1]]
    assert [(await listing.page(text)).rows for text in ("0", "-1", "x")] == [[], [], []]
    problem.title = "Sums"
    await problem.asave()
    assert [await titles(), await titles(), reads] == [["Sums"], ["Sums"], [1, 1]]
    await problem.adelete()
    assert await titles() == []


async def test_who_reads_before_a_change_stores_nothing_for_those_after_it(problem, monkeypatch):
    read = listing.read

    async def slow(number):
        found = await read(number)
        await sync_to_async(problem.save)()
        return found

    monkeypatch.setattr(listing, "read", slow)
    problem.title = "Sums"
    assert (await listing.page("1")).rows[0]["title"] == "Sum"
    monkeypatch.setattr(listing, "read", read)
    assert (await listing.page("1")).rows[0]["title"] == "Sums"


class Away:
    def set(self, *args):
        raise ConnectionError("the cache is away")

    async def aget(self, *args):
        self.set()


async def test_without_the_cache_the_database_answers(problem, monkeypatch, caplog):
    monkeypatch.setattr(listing, "cache", Away())
    problem.title = "Sums"
    await problem.asave()
    assert "may be old for 60 s" in caplog.text
    assert [row["title"] for row in (await listing.page("1")).rows] == ["Sums"]


@pytest.fixture
def handed_over(monkeypatch):
    """What would be handed to workers, of which there are none."""
    handed_over = []
    monkeypatch.setattr("problems.queue.start", handed_over.append)
    return handed_over


def test_submissions(api, student, mentor, problem, handed_over):
    assert api.get(SUBMISSIONS).status_code in (401, 403)
    api.force_authenticate(student)
    made = api.post(SUBMISSIONS, {"problem": "sum", "code": "print(3)\n"})
    assert made.status_code == 201, made.content
    submission = made.json()
    assert (submission["problem"], submission["verdict"]) == ("sum", "")
    assert handed_over == [Submission.objects.get()]
    assert (handed_over[0].owner, handed_over[0].code) == (student, "print(3)\n")
    [listed] = api.get(SUBMISSIONS).json()["results"]
    assert (listed["id"], "code" in listed) == (submission["id"], False)
    assert api.get(f"{SUBMISSIONS}{submission['id']}/").json()["code"] == "print(3)\n"
    api.force_authenticate(mentor)
    assert api.get(SUBMISSIONS).json()["count"] == 0
    assert api.get(f"{SUBMISSIONS}{submission['id']}/").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"problem": "\0"}, "problem"),
        ({"problem": ["sum"]}, "problem"),
        ({"code": ""}, "code"),
        ({"code": "\0"}, "code"),
        ({"code": "#" * 20_001}, "code"),
    ],
)
def test_what_is_wrong_with_a_submission_is_said(api, student, problem, wrong, field):
    api.force_authenticate(student)
    answer = api.post(SUBMISSIONS, {"problem": "sum", "code": "print(3)", **wrong}, format="json")
    assert (answer.status_code, list(answer.json())) == (400, [field])
    answer = api.post(SUBMISSIONS, {"problem": "unknown", "code": "print(3)"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_plan_is_a_limit_here_too(api, student, problem, handed_over):
    SubscriptionPlan.objects.create(user=student, judged_per_day=1)
    api.force_authenticate(student)
    answers = [api.post(SUBMISSIONS, {"problem": "sum", "code": "print(3)"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 429]
    assert answers[1].json()["code"] == "plan_exhausted"
