import pytest

from assistant.models import ChatMessage, ChatSession

CHATS = "/api/chats/"
ROLES = ChatMessage.Role


@pytest.fixture
def session(student):
    return ChatSession.objects.create(owner=student, title="Mine")


def test_a_user_finds_the_own_sessions_and_makes_one(client, student, mentor, session):
    assert client.get(CHATS).status_code == 401
    ChatSession.objects.create(owner=mentor, title="Theirs")
    for role in (ROLES.USER, ROLES.ASSISTANT, ROLES.USER):
        session.messages.create(role=role, text="Hi")
    client.force_login(student)
    [listed] = client.get(CHATS).json()
    assert (listed["id"], listed["title"], listed["prompts"]) == (session.pk, "Mine", 2)
    made = client.post(CHATS, {}, "application/json").json()
    newest = student.chat_sessions.first()
    assert newest != session
    assert made == {"id": newest.pk}
    assert [each["id"] for each in client.get(CHATS).json()] == [newest.pk, session.pk]
    assert client.get(f"{CHATS}{newest.pk}/").json() == {"id": newest.pk, "title": ""}


def test_a_session_is_deleted_by_its_owner_alone(client, student, mentor, session):
    path = f"{CHATS}{session.pk}/"
    client.force_login(mentor)
    answers = client.get(path), client.post(f"{path}delete/", {}, "application/json")
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 2
    client.force_login(student)
    assert client.get(f"{path}delete/").status_code == 405
    assert client.post(f"{path}delete/", {}, "application/json").json() == {}
    assert client.get(path).status_code == 404
