"""Who asks for a load test gets an answer only with the token, and the users for it can be removed again."""

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group
from django.core import signing
from django.core.management import CommandError, call_command

from accounts import challenge, checks
from accounts.models import User
from config import collect

TOKEN = "only-for-tests-0123456789-0123456789"
ASKED = {"host": "testserver", "nonce": "1"}
PATH = "/api/loadtest/"


@pytest.fixture(autouse=True)
def shared_token(settings, db):
    settings.LOADTEST_TOKEN = TOKEN


@pytest.fixture
def only_users(monkeypatch):
    """Set up nothing in other apps."""
    monkeypatch.setattr(collect, "modules", lambda name: [])


def ask(client, asked=ASKED, token=TOKEN):
    return client.post(PATH, challenge.sign(asked, "question", token), content_type="text/plain")


def test_both_prove_that_they_know_the_token(client):
    answer = ask(client)
    facts = challenge.read(answer.text, "answer", TOKEN)
    assert ASKED.items() <= facts.items()
    assert facts["users"] == 0
    with pytest.raises(signing.BadSignature):
        challenge.read(answer.text, "question", TOKEN)  # it cannot be used to ask others
    assert TOKEN not in answer.text


def test_without_a_token_there_is_nothing(client, settings):
    settings.LOADTEST_TOKEN = ""
    assert ask(client).status_code == 404
    assert client.get(PATH).status_code == 404


@pytest.mark.parametrize(
    ("asked", "token", "detail"),
    [
        (ASKED, "another-" + TOKEN, "another LOADTEST_TOKEN"),
        (ASKED | {"host": "example.com"}, TOKEN, "the Host header"),
    ],
)
def test_others_are_refused(client, asked, token, detail):
    answer = ask(client, asked, token)
    assert answer.status_code == 403
    assert detail in answer.json()["detail"]


def test_a_question_is_not_valid_for_long(client, monkeypatch):
    monkeypatch.setattr(challenge, "HOLDS", -1)
    assert "differ by more than" in ask(client).json()["detail"]


def test_a_check_tells_that_a_test_is_allowed(settings):
    assert checks.load_is_welcome(None) == [checks.LOADTEST]
    settings.LOADTEST_TOKEN = ""
    assert checks.load_is_welcome(None) == []


def test_users_come_and_go(client, only_users):
    call_command("loadtest_users", 3)
    names = [challenge.name_of(n) for n in (1, 2, 3)]
    assert list(User.objects.order_by("pk").values_list("username", flat=True)) == names
    user = authenticate(None, username=names[0], password=challenge.password_of(names[0], TOKEN))
    assert not user.is_staff
    assert challenge.facts()["users"] == 3
    call_command("loadtest_users", 1)
    assert User.objects.get() == user
    call_command("loadtest_users", 0)
    assert not User.objects.exists()
    assert not Group.objects.filter(name=challenge.GROUP).exists()


@pytest.mark.parametrize(
    ("number", "token", "complaint"),
    [(2, "", "LOADTEST_TOKEN is not set"), (-1, TOKEN, "from 0 to 1000"), (1, TOKEN, "did not make")],
)
def test_users_that_cannot_be_made(number, token, complaint, settings):
    settings.LOADTEST_TOKEN = token
    stranger = User.objects.create_user("loadtest-1")
    with pytest.raises(CommandError, match=complaint):
        call_command("loadtest_users", number)
    assert User.objects.get() == stranger
