import pytest

from assistant.models import ChatMessage, ChatSession

ROLES = ChatMessage.Role


@pytest.fixture
def session(student):
    return ChatSession.objects.create(owner=student, title="<b>Mine</b>")


def test_a_user_finds_the_own_sessions_and_makes_one(client, student, mentor, session):
    ChatSession.objects.create(owner=mentor, title="Theirs")
    for role in (ROLES.USER, ROLES.ASSISTANT, ROLES.USER):
        session.messages.create(role=role, text="Hi")
    client.force_login(student)
    page = client.get("/assistant/").content.decode()
    assert "&lt;b&gt;Mine&lt;/b&gt;" in page
    assert "2 questions" in page
    assert "Theirs" not in page
    made = client.post("/assistant/")
    newest = student.chat_sessions.first()
    assert (made.status_code, made["Location"]) == (302, f"/assistant/{newest.pk}/")
    assert newest != session
    assert "&lt;b&gt;Mine&lt;/b&gt;" in client.get(made["Location"]).content.decode()


def test_a_session_is_deleted_by_its_owner_alone(client, student, mentor, session):
    path = f"/assistant/{session.pk}/"
    assert client.get(path).status_code == 302  # to the login page
    client.force_login(mentor)
    assert [client.get(path).status_code, client.post(f"{path}delete/").status_code] == [404, 404]
    client.force_login(student)
    assert client.get(f"{path}delete/").status_code == 405
    assert client.post(f"{path}delete/")["Location"] == "/assistant/"
    assert client.get(path).status_code == 404
