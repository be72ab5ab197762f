import pytest

from problems.models import Problem, Submission
from problems.submitting import CODE_CHARS

PROBLEMS = "/api/my/problems/"
TESTS = [{"input": "1 2", "output": "3"}, {"input": "secret", "output": "4"}]


@pytest.fixture
def problem(transactional_db):
    Problem.objects.create(slug="other", title="Other")
    return Problem.objects.create(slug="sum", title="Sum", statement="Add.", difficulty=800, tests=TESTS)


def test_the_list_says_what_the_user_has_tried_and_solved(client, student, mentor, problem):
    assert client.get(PROBLEMS).status_code == 401

    def progress():
        return [(each["slug"], each["tried"], each["solved"]) for each in client.get(PROBLEMS).json()]

    client.force_login(student)
    submissions = problem.submissions
    submissions.create(owner=mentor, code="print(3)", verdict=Submission.Verdict.ACCEPTED)
    assert progress() == [("other", False, False), ("sum", False, False)]
    submissions.create(owner=student, code="print(4)", verdict=Submission.Verdict.WRONG_ANSWER)
    assert progress()[1] == ("sum", True, False)
    submissions.create(owner=student, code="print(3)", verdict=Submission.Verdict.ACCEPTED)
    assert progress()[1] == ("sum", True, True)


def test_a_problem_has_one_test_as_its_example_and_the_user_s_newest_program(client, student, problem):
    problem.submissions.create(owner=student, code="print(3)")
    client.force_login(student)
    answer = client.get(f"{PROBLEMS}sum/")
    shown = answer.json()
    assert (shown["title"], shown["statement"], shown["difficulty"]) == ("Sum", "Add.", 800)
    assert (shown["example"], shown["code"], shown["code_chars"]) == (TESTS[0], "print(3)", CODE_CHARS)
    assert b"secret" not in answer.content
    other = client.get(f"{PROBLEMS}other/").json()
    assert (other["example"], other["code"]) == (None, "")
    assert client.get(f"{PROBLEMS}none/").status_code == 404
